/* The boards' flash in memory, which can lose power in any of its operations. One operation is the erase of a block or
   the program of a unit. */
#ifndef FAILING_FLASH_H
#define FAILING_FLASH_H

#include "board.h"

#define FLASH_MAX_BYTES (1 << 17)

/* What the operation in which power fails leaves. */
enum flash_cut { CUT_BEFORE, CUT_AFTER, CUT_PARTLY, CUT_GARBAGE };

/* A board of nothing but this flash, erased, read in units of `read_size` and programmed in units of `prog_size`. */
const struct board *flash_board(size_t block_size, size_t blocks, size_t read_size, size_t prog_size);
/* Fail in the operation after the next `operations`; all later ones do nothing. Negative: never. */
void flash_cut_after(long operations, enum flash_cut cut, uint32_t seed);
/* Operations since the last flash_cut_after. */
long flash_operations(void);
/* A block that programs do not change any more; blocks and beyond: none. */
void flash_wear_out(size_t block);
uint8_t *flash_bytes(void);

#endif
