/* Bytes that a test has in memory, as if they lay in flash. */
#ifndef BYTES_IN_FLASH_H
#define BYTES_IN_FLASH_H

#include "nor_flash.h"

/* Good until the next call, and as long as the bytes stay. */
static inline struct flash_span bytes_in_flash(const uint8_t *bytes, size_t size) {
  static struct nor_flash nor;
  static struct flash flash;
  nor = (struct nor_flash){
      .bytes = (uint8_t *)bytes, .read_size = 1, .prog_size = 1, .block_size = size > 0 ? size : 1, .block_count = 1};
  flash = nor_flash(&nor);
  return (struct flash_span){&flash, 0, size};
}

#endif
