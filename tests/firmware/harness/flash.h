/* Flash in memory that can lose power in any of its operations. One operation is the erase of a page or the program of
   8 bytes. */
#ifndef FLASH_H
#define FLASH_H

#include "board.h"

#define FLASH_WORD 8
#define FLASH_MAX_BYTES (1 << 17)

/* What the operation in which power fails leaves. */
enum flash_cut { CUT_BEFORE, CUT_AFTER, CUT_PARTLY, CUT_GARBAGE };

/* A board of nothing but this flash, erased. */
const struct board *flash_board(size_t page_size, size_t pages);
/* Fail in the operation after the next `operations`; all later ones do nothing. Negative: never. */
void flash_cut_after(long operations, enum flash_cut cut, uint32_t seed);
/* Operations since the last flash_cut_after. */
long flash_operations(void);
/* A page that programs do not change any more; pages and beyond: none. */
void flash_wear_out(size_t page);
uint8_t *flash_bytes(void);

#endif
