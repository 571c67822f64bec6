/* Bit fields of EEPROM words. */
#ifndef MLX90640_FIELDS_H
#define MLX90640_FIELDS_H

#include <stdint.h>

/* First pixel's word, as an offset from 0x2400. */
#define MLX90640_FIRST_PIXEL 64U

/* `bits` bits of a word from bit `shift` on. */
static inline int32_t mlx90640_field(uint16_t word, uint32_t shift, uint32_t bits) {
  return (int32_t)((uint32_t)word >> shift & ((1U << bits) - 1U));
}

/* The same as two's complement. */
static inline int32_t mlx90640_signed_field(uint16_t word, uint32_t shift, uint32_t bits) {
  const int32_t value = mlx90640_field(word, shift, bits);
  return (value >> (bits - 1U)) != 0 ? value - (int32_t)(1U << bits) : value;
}

/* One of signed 4-bit fields, four a word, lowest first. */
static inline int32_t mlx90640_nibble(const uint16_t *words, uint32_t index) {
  return mlx90640_signed_field(words[index / 4U], index % 4U * 4U, 4);
}

#endif
