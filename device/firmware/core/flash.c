/* Reads of any bytes out of reads of whole units, and what is built on them. */
#include "flash.h"

#include <string.h>

#include "crc.h"

#define AT_ONCE 64U

static bool is_unit(size_t unit, size_t block) {
  return unit > 0 && unit <= FLASH_MOST_UNIT && (unit & (unit - 1U)) == 0 && block % unit == 0;
}

bool flash_is_usable(const struct flash *flash) {
  return flash->block_count > 0 && flash->block_size > 0 && is_unit(flash->read_size, flash->block_size) &&
         is_unit(flash->prog_size, flash->block_size);
}

size_t flash_programmed_size(const struct flash *flash, size_t size) {
  return (size + flash->prog_size - 1U) & ~(flash->prog_size - 1U);
}

/* Read what one call of the board's can give: whole units, or a part of one. Returns how many bytes. */
static size_t read_some(const struct flash *flash, size_t at, uint8_t *to, size_t size) {
  const size_t block = at / flash->block_size;
  const size_t offset = at % flash->block_size;
  const size_t skip = offset & (flash->read_size - 1U);
  const size_t left = flash->block_size - offset;
  size_t count = (size < left ? size : left) & ~(flash->read_size - 1U);
  if (skip == 0 && count > 0) {
    if (flash->read(flash->context, block, offset, to, count) != STATUS_OK) {
      memset(to, 0xFF, count);
    }
    return count;
  }
  uint8_t unit[FLASH_MOST_UNIT];
  if (flash->read(flash->context, block, offset - skip, unit, flash->read_size) != STATUS_OK) {
    memset(unit, 0xFF, sizeof unit);
  }
  count = flash->read_size - skip < size ? flash->read_size - skip : size;
  memcpy(to, unit + skip, count);
  return count;
}

void flash_read(const struct flash *flash, size_t at, void *to, size_t size) {
  uint8_t *bytes = to;
  while (size > 0) {
    const size_t count = read_some(flash, at, bytes, size);
    at += count;
    bytes += count;
    size -= count;
  }
}

enum status flash_program(const struct flash *flash, size_t at, const void *data, size_t size) {
  uint8_t there[AT_ONCE];
  if (flash->program(flash->context, at / flash->block_size, at % flash->block_size, data, size) != STATUS_OK) {
    return STATUS_STORAGE;
  }
  for (size_t done = 0; done < size; done += sizeof there) {
    const size_t part = size - done < sizeof there ? size - done : sizeof there;
    flash_read(flash, at + done, there, part);
    if (memcmp(there, (const uint8_t *)data + done, part) != 0) {
      return STATUS_STORAGE;
    }
  }
  return STATUS_OK;
}

void flash_span_read(const struct flash_span *span, size_t offset, void *to, size_t size) {
  flash_read(span->flash, span->at + offset, to, size);
}

struct flash_span flash_span_from(const struct flash_span *span, size_t offset, size_t size) {
  return (struct flash_span){span->flash, span->at + offset, size};
}

uint32_t flash_span_crc(const struct flash_span *span, size_t size) {
  uint8_t part[AT_ONCE];
  uint32_t crc = 0;
  for (size_t at = 0; at < size; at += sizeof part) {
    const size_t count = size - at < sizeof part ? size - at : sizeof part;
    flash_span_read(span, at, part, count);
    crc = crc32_update(crc, part, count);
  }
  return crc;
}

bool flash_span_is(const struct flash_span *span, const struct flash_span *other) {
  uint8_t parts[2][AT_ONCE / 2U];
  bool same = span->size == other->size;
  for (size_t at = 0; same && at < span->size; at += sizeof parts[0]) {
    const size_t count = span->size - at < sizeof parts[0] ? span->size - at : sizeof parts[0];
    flash_span_read(span, at, parts[0], count);
    flash_span_read(other, at, parts[1], count);
    same = memcmp(parts[0], parts[1], count) == 0;
  }
  return same;
}
