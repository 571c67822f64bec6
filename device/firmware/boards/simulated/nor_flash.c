/* Block by block, and unit by unit. */
#include "nor_flash.h"

#include <stdbool.h>
#include <string.h>

static bool is_within(const struct nor_flash *nor, size_t block, size_t offset, size_t size, size_t unit) {
  return block < nor->block_count && offset % unit == 0 && size % unit == 0 && offset <= nor->block_size &&
         size <= nor->block_size - offset;
}

static enum nor_flash_outcome ask(const struct nor_flash *nor, uint8_t *at, const uint8_t *wanted, size_t size) {
  return nor->ask == NULL ? NOR_FLASH_WORKS : nor->ask(nor->context, at, wanted, size);
}

static enum status read(void *context, size_t block, size_t offset, void *buffer, size_t size) {
  const struct nor_flash *nor = context;
  if (!is_within(nor, block, offset, size, nor->read_size)) {
    return STATUS_ARGUMENT;
  }
  memcpy(buffer, nor->bytes + block * nor->block_size + offset, size);
  return STATUS_OK;
}

static enum status program(void *context, size_t block, size_t offset, const void *data, size_t size) {
  const struct nor_flash *nor = context;
  const uint8_t *from = data;
  if (!is_within(nor, block, offset, size, nor->prog_size)) {
    return STATUS_ARGUMENT;
  }
  for (size_t done = 0; done < size; done += nor->prog_size) {
    uint8_t *const at = nor->bytes + block * nor->block_size + offset + done;
    uint8_t wanted[FLASH_MOST_UNIT];
    for (size_t i = 0; i < nor->prog_size; i++) {
      wanted[i] = at[i] & from[done + i];
    }
    const enum nor_flash_outcome outcome = ask(nor, at, wanted, nor->prog_size);
    if (outcome == NOR_FLASH_FAILS) {
      return STATUS_STORAGE;
    }
    if (outcome == NOR_FLASH_WORKS) {
      memcpy(at, wanted, nor->prog_size);
    }
    if (memcmp(wanted, from + done, nor->prog_size) != 0) {
      return STATUS_STORAGE;
    }
  }
  return STATUS_OK;
}

static enum status erase(void *context, size_t block) {
  const struct nor_flash *nor = context;
  if (block >= nor->block_count) {
    return STATUS_ARGUMENT;
  }
  uint8_t *const at = nor->bytes + block * nor->block_size;
  switch (ask(nor, at, NULL, nor->block_size)) {
    case NOR_FLASH_FAILS:
      return STATUS_STORAGE;
    case NOR_FLASH_WORKS:
      memset(at, 0xFF, nor->block_size);
      break;
    case NOR_FLASH_WORN:
      break;
  }
  return STATUS_OK;
}

struct flash nor_flash(struct nor_flash *nor) {
  return (struct flash){.context = nor,
                        .read_size = nor->read_size,
                        .prog_size = nor->prog_size,
                        .block_size = nor->block_size,
                        .block_count = nor->block_count,
                        .read = read,
                        .program = program,
                        .erase = erase};
}
