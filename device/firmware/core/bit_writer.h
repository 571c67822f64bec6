/* Writes codes into the planes of packed counts (thermo_core.rice): bits into bytes, most significant first. */
#ifndef BIT_WRITER_H
#define BIT_WRITER_H

#include <stdint.h>
#include <string.h>

struct bit_writer {
  uint8_t *to;
  uint32_t bits; /* those that wait, from the top */
  uint32_t room; /* for more of them */
};

static inline void bit_writer_flush(struct bit_writer *writer) {
  const uint32_t bytes = __builtin_bswap32(writer->bits);
  memcpy(writer->to, &bytes, sizeof bytes);
  writer->to += sizeof bytes;
  writer->bits = 0;
}

/* The `count` low bits of `value`, which has no others; at most 31. */
static inline void bit_writer_put(struct bit_writer *writer, uint32_t value, uint32_t count) {
  if (count <= writer->room) {
    writer->room -= count;
    writer->bits |= value << writer->room;
  } else {
    const uint32_t rest = count - writer->room;
    writer->bits |= value >> rest;
    bit_writer_flush(writer);
    writer->room = 32U - rest;
    writer->bits = value << writer->room;
  }
}

/* `zeros` zeros and a one. */
static inline void bit_writer_put_unary(struct bit_writer *writer, uint32_t zeros) {
  while (zeros >= writer->room) {
    zeros -= writer->room;
    bit_writer_flush(writer);
    writer->room = 32U;
  }
  writer->room -= zeros + 1U;
  writer->bits |= 1U << writer->room;
}

/* Write what waits, filled up to a whole byte; returns where the next one goes. */
static inline uint8_t *bit_writer_finish(struct bit_writer *writer) {
  uint8_t *to = writer->to;
  for (uint32_t bits = writer->bits, left = 32U - writer->room; left > 0; left -= left < 8U ? left : 8U, bits <<= 8) {
    *to++ = (uint8_t)(bits >> 24);
  }
  return to;
}

#endif
