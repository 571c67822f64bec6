/* As thermo_core.float32 has it, operation by operation; see there for the formulas. */
#include "float32.h"

#include <stddef.h>

/* ln 2 in two parts: the product of the first with a small whole number is exact. */
#define LN2_HIGH 0.693145752F
#define LN2_LOW 1.42860677e-06F
#define LOG2_E 1.44269504F
#define LOG10_E 0.434294482F
#define SQRT_2 1.41421354F
#define LARGEST_EXP 88.0F
#define SMALLEST_EXP (-87.0F)
#define SMALLEST_NORMAL 1.17549435e-38F
#define INFINITE_BITS 0x7F800000
#define MANTISSA_BITS 23
#define MANTISSA_MASK 0x007FFFFF
#define ONE_BITS 0x3F800000
#define EXPONENT_BIAS 127

float float32_of_signed(int64_t whole) {
  const uint64_t size = whole < 0 ? 0 - (uint64_t)whole : (uint64_t)whole;
  const uint32_t high = (uint32_t)(size >> 32);
  float nearest = (float)(uint32_t)size;
  if (high != 0) {
    /* Its first 32 bits; of those behind them, which only break a tie, the last one tells whether there are any. */
    const uint32_t shift = 32U - (uint32_t)__builtin_clz(high);
    const uint32_t rest = (size & ((1ULL << shift) - 1)) != 0;
    const float unit = float32_of_bits((int32_t)((EXPONENT_BIAS + shift) << MANTISSA_BITS));
    nearest = (float)((uint32_t)(size >> shift) | rest) * unit;
  }
  return whole < 0 ? -nearest : nearest;
}

bool float32_any_nothing(const float *values, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (float32_is_nothing(values[i])) {
      return true;
    }
  }
  return false;
}

bool float32_any_finite(const float *values, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (float32_is_finite(values[i])) {
      return true;
    }
  }
  return false;
}

void float32_fill_nothing(float *values, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    values[i] = float32_nothing();
  }
}

float float32_total(const float *values, uint32_t count, uint32_t stride) {
  float sum = 0.0F;
  for (uint32_t i = 0; i < count; i++) {
    sum += values[(size_t)i * stride];
  }
  return sum;
}

float float32_mean(const float *values, uint32_t count, uint32_t stride) {
  return float32_total(values, count, stride) / (float)count;
}

float float32_product(const float *one, const float *other, uint32_t count, uint32_t stride) {
  float sum = 0.0F;
  for (uint32_t i = 0; i < count; i++) {
    sum += one[i] * other[(size_t)i * stride];
  }
  return sum;
}

float float32_log(float value) {
  static const float artanh[] = {1.0F / 9.0F, 1.0F / 7.0F, 1.0F / 5.0F, 1.0F / 3.0F};
  if (!(value >= SMALLEST_NORMAL) || float32_bits(value) >= INFINITE_BITS) {
    return float32_nothing();
  }
  const int32_t bits = float32_bits(value);
  int32_t exponent = (bits >> MANTISSA_BITS) - EXPONENT_BIAS;
  float mantissa = float32_of_bits((bits & MANTISSA_MASK) | ONE_BITS);
  if (mantissa >= SQRT_2) {
    mantissa *= 0.5F;
    exponent++;
  }
  const float e = (float)exponent;
  const float s = (mantissa - 1.0F) / (mantissa + 1.0F);
  const float square = s * s;
  float series = artanh[0];
  for (uint32_t i = 1; i < sizeof artanh / sizeof artanh[0]; i++) {
    series = series * square + artanh[i];
  }
  return e * LN2_HIGH + (2.0F * s + (2.0F * s * square * series + e * LN2_LOW));
}

float float32_log10(float value) {
  return float32_log(value) * LOG10_E;
}

float float32_exp(float value) {
  static const float taylor[] = {1.0F / 720.0F, 1.0F / 120.0F, 1.0F / 24.0F, 1.0F / 6.0F, 1.0F / 2.0F};
  if (float32_is_nothing(value)) {
    return value;
  }
  const float safe = value < SMALLEST_EXP ? SMALLEST_EXP : value > LARGEST_EXP ? LARGEST_EXP : value;
  const int32_t whole = float32_round(safe * LOG2_E);
  const float k = (float)whole;
  const float r = (safe - k * LN2_HIGH) - k * LN2_LOW;
  float series = taylor[0];
  for (uint32_t i = 1; i < sizeof taylor / sizeof taylor[0]; i++) {
    series = series * r + taylor[i];
  }
  const float small = series * r * r + r + 1.0F;
  return small * float32_of_bits((whole + EXPONENT_BIAS) << MANTISSA_BITS);
}
