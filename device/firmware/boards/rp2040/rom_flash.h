/* The flash chip, written through functions of the boot ROM. While they run nothing can be read from flash, so they are
   called from RAM, with interrupts off. */
#ifndef ROM_FLASH_H
#define ROM_FLASH_H

#include <stdint.h>

#include "flash.h"

#define ROM_FLASH_UNIQUE_ID 8U

/* Where what is kept begins, and how much of it there is: docs/boards.md has the whole map. */
#define ROM_FLASH_KEPT 0x00150000U
#define ROM_FLASH_BLOCK 4096U
#define ROM_FLASH_BLOCKS 32U
#define ROM_FLASH_PAGE 256U

/* A part of the chip: whole blocks, bytes from its beginning. */
struct rom_flash_part {
  uint32_t at;
  uint32_t blocks;
};

/* What is kept. */
struct flash rom_flash(void);
/* Another part; it must stay. */
struct flash rom_flash_part(const struct rom_flash_part *part);

/* What the maker of the flash chip numbered it with. */
void rom_flash_unique_id(uint8_t id[ROM_FLASH_UNIQUE_ID]);

#endif
