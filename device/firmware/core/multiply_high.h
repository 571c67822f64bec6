/* The upper half of a product of 32 bits, for processors that multiply 32 x 32 -> 32 bits. */
#ifndef MULTIPLY_HIGH_H
#define MULTIPLY_HIGH_H

#include <stdint.h>

/* a b / 2^32, at most 3 too small. */
static inline uint32_t multiply_high(uint32_t a, uint32_t b) {
  const uint32_t a_high = a >> 16;
  const uint32_t a_low = a & 0xFFFFU;
  const uint32_t b_high = b >> 16;
  const uint32_t b_low = b & 0xFFFFU;
  return a_high * b_high + (a_high * b_low >> 16) + (a_low * b_high >> 16);
}

/* The same of a number with a sign. */
static inline int32_t multiply_high_signed(int32_t a, uint32_t b) {
  const int32_t a_high = a >> 16;
  const uint32_t a_low = (uint32_t)a & 0xFFFFU;
  const int32_t b_high = (int32_t)(b >> 16);
  const int32_t b_low = (int32_t)(b & 0xFFFFU);
  return a_high * b_high + ((a_high * b_low) >> 16) + (int32_t)(a_low * (uint32_t)b_high >> 16);
}

#endif
