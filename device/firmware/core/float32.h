/* Arithmetic in float32 whose every bit is that of thermo_core.float32: sums in a fixed order, logarithm, exponential,
   rounding. Needs IEEE 754 and a compiler that contracts nothing (-ffp-contract=off). No value is NaN. */
#ifndef FLOAT32_H
#define FLOAT32_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Whether whole numbers are quicker than floats, as where the processor has none: code that gives the same bits either
   way, or says how far apart they are, takes them then. */
#ifndef FLOAT32_SOFT
#if defined(__arm__) && !defined(__ARM_FP)
#define FLOAT32_SOFT 1
#else
#define FLOAT32_SOFT 0
#endif
#endif

/* Adding this leaves a float no bits after the point, so that it rounds, halves to even; its own bits taken off what
   remains is the whole number. Holds for numbers within +-2^22; beyond, the bits stay in order. */
#define FLOAT32_ROUNDER 12582912.0F
#define FLOAT32_ROUNDER_BITS 0x4B400000

static inline int32_t float32_bits(float value) {
  int32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float float32_of_bits(int32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Not a number: no value. */
static inline float float32_nothing(void) {
  return float32_of_bits(0x7FC00000);
}

static inline bool float32_is_nothing(float value) {
  return (float32_bits(value) & 0x7FFFFFFF) > 0x7F800000;
}

static inline bool float32_is_finite(float value) {
  return (float32_bits(value) & 0x7F800000) != 0x7F800000;
}

/* The nearest whole number of one within +-2^22, halves to even. */
static inline int32_t float32_round(float value) {
  return float32_bits(value + FLOAT32_ROUNDER) - FLOAT32_ROUNDER_BITS;
}

/* Positive, and neither infinite nor below the smallest number that has all its bits. */
static inline bool float32_is_normal(float value) {
  const int32_t bits = float32_bits(value);
  return bits >= 0x00800000 && bits < 0x7F800000;
}

/* Whether a number is a power of two; its exponent. */
static inline bool float32_is_power(float value) {
  return float32_is_normal(value) && (float32_bits(value) & 0x007FFFFF) == 0;
}

static inline int32_t float32_exponent(float value) {
  return (float32_bits(value) >> 23 & 0xFF) - 127;
}

/* A whole number of any size: the nearest float below 2^32, within one unit in the last place beyond. Shorter than what
   compilers call for 64 bits. */
static inline float float32_of_unsigned(uint64_t whole) {
  return (float)(uint32_t)(whole >> 32) * 4294967296.0F + (float)(uint32_t)whole;
}

/* A whole number as the nearest float, halves to even, as numpy has it. */
float float32_of_signed(int64_t whole);

/* Whether any of them is no value. */
bool float32_any_nothing(const float *values, uint32_t count);

/* Whether any of them is a finite value. */
bool float32_any_finite(const float *values, uint32_t count);

/* Fill with no value. */
void float32_fill_nothing(float *values, uint32_t count);

/* Sum of `count` numbers that are `stride` apart, one after another; 0 where there are none. */
float float32_total(const float *values, uint32_t count, uint32_t stride);

/* `float32_total` over the number of numbers. */
float float32_mean(const float *values, uint32_t count, uint32_t stride);

/* Sum of products in their order, each product rounded before it is added. The second factors are `stride` apart. */
float float32_product(const float *one, const float *other, uint32_t count, uint32_t stride);

/* Natural logarithm within 2 units in the last place; no value for 0 and less, infinity, and below the smallest normal
   number. */
float float32_log(float value);

/* Decimal logarithm, within 4 units in the last place: `float32_log` times log10(e). */
float float32_log10(float value);

/* Exponential within 3 units in the last place; below -87 as -87, above 88 as 88. */
float float32_exp(float value);

#endif
