/* Flash as the core sees it: blocks that are erased whole, and programmed and read in units. */
#ifndef FLASH_H
#define FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

#define FLASH_MOST_UNIT 32 /* largest read_size and prog_size that the core can use */

/* Erasing sets a block to 0xFF; programming clears bits of bytes that were not programmed since. Offsets and sizes are
   multiples of the unit and stay within one block. Power may fail at any time in an erase or a program, which may leave
   any bytes in that block or unit. */
struct flash {
  void *context;      /* given to each function */
  size_t read_size;   /* unit of `read`, bytes */
  size_t prog_size;   /* unit of `program`, bytes */
  size_t block_size;  /* bytes */
  size_t block_count; /* 0 where there is no flash */
  enum status (*read)(void *context, size_t block, size_t offset, void *buffer, size_t size);
  enum status (*program)(void *context, size_t block, size_t offset, const void *data, size_t size);
  enum status (*erase)(void *context, size_t block);
};

/* Whether the core can use it: units are powers of two up to FLASH_MOST_UNIT and divide a block. */
bool flash_is_usable(const struct flash *flash);

/* The size rounded up to whole units of `prog_size`. */
size_t flash_programmed_size(const struct flash *flash, size_t size);

/* Read bytes from `at` on, counted from the first block's first; any alignment, over blocks. What cannot be read is as
   if erased, 0xFF. */
void flash_read(const struct flash *flash, size_t at, void *to, size_t size);

/* Program whole units within one block and look whether they are as wanted. Returns OK or STORAGE. */
enum status flash_program(const struct flash *flash, size_t at, const void *data, size_t size);

/* Some bytes in flash, or none where the size is 0. */
struct flash_span {
  const struct flash *flash;
  size_t at;
  size_t size;
};

/* Read bytes of a span, which has them. */
void flash_span_read(const struct flash_span *span, size_t offset, void *to, size_t size);

/* The part of a span that begins at `offset`. */
struct flash_span flash_span_from(const struct flash_span *span, size_t offset, size_t size);

/* CRC-32 of its first bytes. */
uint32_t flash_span_crc(const struct flash_span *span, size_t size);

/* Whether it is these bytes. */
bool flash_span_is(const struct flash_span *span, const struct flash_span *other);

#endif
