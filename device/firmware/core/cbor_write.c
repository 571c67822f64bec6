/* The CBOR writer: items into a fixed buffer. */
#include <string.h>

#include "bytes.h"
#include "cbor_head.h"

void cbor_begin(struct cbor_writer *writer, uint8_t *data, size_t capacity) {
  writer->data = data;
  writer->capacity = capacity;
  writer->used = 0;
  writer->overflow = false;
}

static uint8_t *reserve(struct cbor_writer *writer, size_t size) {
  if (writer->overflow || size > writer->capacity - writer->used) {
    writer->overflow = true;
    return NULL;
  }
  uint8_t *at = writer->data + writer->used;
  writer->used += size;
  return at;
}

static void write_head(struct cbor_writer *writer, enum major major, uint64_t argument) {
  uint8_t *at = reserve(writer, cbor_head_size(argument));
  if (at != NULL) {
    cbor_put_head(at, major, argument);
  }
}

void cbor_map(struct cbor_writer *writer, uint32_t pairs) {
  write_head(writer, MAP, pairs);
}

void cbor_array(struct cbor_writer *writer, uint32_t items) {
  write_head(writer, ARRAY, items);
}

void cbor_unsigned(struct cbor_writer *writer, uint64_t number) {
  write_head(writer, UNSIGNED, number);
}

void cbor_signed(struct cbor_writer *writer, int64_t number) {
  if (number >= 0) {
    write_head(writer, UNSIGNED, (uint64_t)number);
  } else {
    write_head(writer, NEGATIVE, ~(uint64_t)number);
  }
}

void cbor_bool(struct cbor_writer *writer, bool value) {
  write_head(writer, SIMPLE, value ? TRUE_VALUE : FALSE_VALUE);
}

void cbor_null(struct cbor_writer *writer) {
  write_head(writer, SIMPLE, NULL_VALUE);
}

/* Half precision of a number, where that is exact. */
static bool as_half(uint32_t bits, uint16_t *half) {
  uint32_t sign = bits >> 16 & 0x8000;
  uint32_t exponent = bits >> 23 & 0xFF;
  uint32_t mantissa = bits & 0x7FFFFF;
  if (exponent == 0xFF) {
    *half = (uint16_t)(mantissa != 0 ? 0x7E00 : sign | 0x7C00);
    return true;
  }
  if (exponent == 0) {
    *half = (uint16_t)sign;
    return mantissa == 0;
  }
  if (exponent >= 113 && exponent <= 142) {
    *half = (uint16_t)(sign | (exponent - 112) << 10 | mantissa >> 13);
    return (mantissa & 0x1FFF) == 0;
  }
  if (exponent >= 103 && exponent < 113) { /* subnormal in half precision: units of 2^-24 */
    uint32_t shift = 126 - exponent;
    uint32_t whole = mantissa | 0x800000;
    *half = (uint16_t)(sign | whole >> shift);
    return (whole & ((1U << shift) - 1)) == 0;
  }
  return false;
}

void cbor_float(struct cbor_writer *writer, float number) {
  uint32_t bits;
  memcpy(&bits, &number, sizeof bits);
  uint16_t half;
  bool short_form = as_half(bits, &half);
  uint8_t *at = reserve(writer, short_form ? 3 : 5);
  if (at == NULL) {
    return;
  }
  at[0] = (uint8_t)(SIMPLE << 5 | (short_form ? HALF : SINGLE));
  if (short_form) {
    store_be16(at + 1, half);
  } else {
    store_be32(at + 1, bits);
  }
}

static uint8_t *reserve_string(struct cbor_writer *writer, enum major major, size_t size) {
  write_head(writer, major, size);
  return reserve(writer, size);
}

void cbor_text_bytes(struct cbor_writer *writer, const uint8_t *text, size_t size) {
  uint8_t *at = reserve_string(writer, TEXT, size);
  if (at != NULL && size > 0) {
    memcpy(at, text, size);
  }
}

void cbor_text(struct cbor_writer *writer, const char *text) {
  cbor_text_bytes(writer, (const uint8_t *)text, strlen(text));
}

void cbor_bytes(struct cbor_writer *writer, const uint8_t *data, size_t size) {
  uint8_t *at = cbor_reserve_bytes(writer, size);
  if (at != NULL && size > 0) {
    memcpy(at, data, size);
  }
}

uint8_t *cbor_reserve_bytes(struct cbor_writer *writer, size_t size) {
  return reserve_string(writer, BYTES, size);
}

size_t cbor_open_array(struct cbor_writer *writer) {
  size_t opened = writer->used;
  reserve(writer, 1);
  return opened;
}

void cbor_close_array(struct cbor_writer *writer, size_t opened, uint32_t items) {
  size_t head = cbor_head_size(items);
  size_t written = writer->used - opened;
  reserve(writer, head - 1);
  if (!writer->overflow) {
    memmove(writer->data + opened + head, writer->data + opened + 1, written - 1);
    cbor_put_head(writer->data + opened, ARRAY, items);
  }
}
