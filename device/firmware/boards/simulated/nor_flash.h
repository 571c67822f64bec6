/* NOR flash in memory: a program only clears bits, an erase sets a block to 0xFF. Boards that are simulated, tests and
   fuzzers all have this one. */
#ifndef NOR_FLASH_H
#define NOR_FLASH_H

#include <stddef.h>
#include <stdint.h>

#include "flash.h"

/* What becomes of an operation. */
enum nor_flash_outcome { NOR_FLASH_WORKS, NOR_FLASH_WORN, NOR_FLASH_FAILS };

/* Asked before the erase of a block and the program of each unit, which would leave `wanted` at `at`, NULL for ones.
   WORN: nothing changes and nobody is told; FAILS: the operation fails, and what it leaves was written by whoever was
   asked. */
typedef enum nor_flash_outcome nor_flash_ask(void *context, uint8_t *at, const uint8_t *wanted, size_t size);

struct nor_flash {
  uint8_t *bytes;
  size_t read_size, prog_size, block_size, block_count;
  nor_flash_ask *ask; /* NULL: all works */
  void *context;      /* for `ask` */
};

/* The flash as the core sees it; `nor` must stay. Its functions return ARGUMENT where units or ends of blocks are not
   kept to, STORAGE where it fails or a program would have to set a bit. */
struct flash nor_flash(struct nor_flash *nor);

#endif
