#include "trailer.h"

#include <string.h>

#define MAGIC_BYTES 16U
#define SET 0x01U
#define ERASED 0xFFU

/* Offsets from the slot's end. */
#define MAGIC_FROM_END MAGIC_BYTES
#define IMAGE_OK_FROM_END (MAGIC_BYTES + TRAILER_UNIT)
#define COPY_DONE_FROM_END (MAGIC_BYTES + 2U * TRAILER_UNIT)

static const uint8_t magic[MAGIC_BYTES] = {0x77, 0xC2, 0x95, 0xF3, 0x60, 0xD2, 0xEF, 0x7F,
                                           0x35, 0x52, 0x50, 0x0F, 0x2C, 0xB6, 0x79, 0x80};

static enum trailer_mark read_magic(const struct flash_span *slot) {
  uint8_t there[MAGIC_BYTES];
  flash_span_read(slot, slot->size - MAGIC_FROM_END, there, sizeof there);
  if (memcmp(there, magic, sizeof magic) == 0) {
    return TRAILER_SET;
  }
  for (size_t i = 0; i < sizeof there; i++) {
    if (there[i] != ERASED) {
      return TRAILER_BAD;
    }
  }
  return TRAILER_UNSET;
}

/* MCUboot and imgtool use the unit's first byte; a unit of which anything else was written is none that may be written.
 */
static enum trailer_mark read_flag(const struct flash_span *slot, size_t from_end) {
  uint8_t unit[TRAILER_UNIT];
  flash_span_read(slot, slot->size - from_end, unit, sizeof unit);
  if (unit[0] == SET) {
    return TRAILER_SET;
  }
  for (size_t i = 0; i < sizeof unit; i++) {
    if (unit[i] != ERASED) {
      return TRAILER_BAD;
    }
  }
  return TRAILER_UNSET;
}

struct trailer trailer_read(const struct flash_span *slot) {
  return (struct trailer){.magic = read_magic(slot),
                          .copy_done = read_flag(slot, COPY_DONE_FROM_END),
                          .image_ok = read_flag(slot, IMAGE_OK_FROM_END)};
}

bool trailer_is_confirmed(const struct trailer *trailer) {
  return trailer->magic == TRAILER_SET && trailer->image_ok == TRAILER_SET;
}

bool trailer_is_pending(const struct trailer *trailer) {
  return trailer->magic == TRAILER_SET && trailer->copy_done == TRAILER_UNSET && trailer->image_ok == TRAILER_UNSET;
}

bool trailer_is_unset(const struct trailer *trailer) {
  return trailer->magic == TRAILER_UNSET && trailer->copy_done == TRAILER_UNSET && trailer->image_ok == TRAILER_UNSET;
}

static enum status program(const struct flash_span *slot, size_t from_end, const uint8_t *data, size_t size) {
  return flash_program(slot->flash, slot->at + slot->size - from_end, data, size);
}

static enum status set_flag(const struct flash_span *slot, size_t from_end) {
  const uint8_t unit[TRAILER_UNIT] = {SET, ERASED, ERASED, ERASED, ERASED, ERASED, ERASED, ERASED};
  return program(slot, from_end, unit, sizeof unit);
}

enum status trailer_set_magic(const struct flash_span *slot) {
  return program(slot, MAGIC_FROM_END, magic, sizeof magic);
}

enum status trailer_set_copy_done(const struct flash_span *slot) {
  return set_flag(slot, COPY_DONE_FROM_END);
}

enum status trailer_set_image_ok(const struct flash_span *slot) {
  return set_flag(slot, IMAGE_OK_FROM_END);
}
