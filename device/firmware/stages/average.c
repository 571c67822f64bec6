/* x / step, saturated to +-32767 and rounded half to even, as int16; int32 sum; float32 of it times step / pictures.
   Rounding before saturating is the same, since the limits are whole numbers, and lets both be done on bits. */
#include "average.h"

#include <stddef.h>
#include <string.h>

#include "float32.h"
#include "soft_float.h"

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
#include <arm_acle.h>
#endif

#define LARGEST 32767
#define NO_VALUE INT16_MIN
#define LOWEST_BITS (FLOAT32_ROUNDER_BITS - LARGEST)
#define PAIRS_AT_ONCE 8U

/* x 2^power, saturated to +-LARGEST and rounded half to even; x is no NaN. */
static inline int32_t whole_steps(int32_t bits, int32_t power) {
  const int32_t shift = 150 - power - (bits >> 23 & 0xFF);
  if (shift > 24) {
    return 0;
  }
  uint32_t steps = LARGEST;
  if (shift > 0) {
    const uint32_t mantissa = ((uint32_t)bits & 0x007FFFFFU) | 0x00800000U;
    steps = (mantissa + (1U << (shift - 1)) - 1U + (mantissa >> shift & 1U)) >> shift;
    steps = steps > LARGEST ? LARGEST : steps;
  }
  return bits < 0 ? -(int32_t)steps : (int32_t)steps;
}

/* The same as `store` where 1 / step is a power of two, on whole numbers. */
static bool store_whole(const float *values, uint32_t elements, float inverse, int16_t *place, uint32_t row) {
  const int32_t power = float32_exponent(inverse);
  bool complete = true;
  for (uint32_t i = 0; i < elements; i++, place += row) {
    if (float32_is_nothing(values[i])) {
      *place = NO_VALUE;
      complete = false;
    } else {
      *place = (int16_t)whole_steps(float32_bits(values[i]), power);
    }
  }
  return complete;
}

/* Take a sample into one place of each row; whether every number has a value. */
static bool store(const float *values, uint32_t elements, float inverse, int16_t *place, uint32_t row) {
  bool complete = true;
  for (uint32_t i = 0; i < elements; i++, place += row) {
    const int32_t bits = float32_bits(values[i] * inverse + FLOAT32_ROUNDER);
    int32_t steps = bits - FLOAT32_ROUNDER_BITS;
    if ((uint32_t)bits - (uint32_t)LOWEST_BITS > 2U * LARGEST) {
      if (float32_is_nothing(values[i])) {
        steps = NO_VALUE;
        complete = false;
      } else {
        steps = bits < LOWEST_BITS ? -LARGEST : LARGEST;
      }
    }
    *place = (int16_t)steps;
  }
  return complete;
}

/* Two steps at `pair` added to a sum: one instruction of a Cortex-M4. Rows are whole words. */
static inline int32_t add_pair(const int16_t *pair, int32_t sum) {
  uint32_t both;
#if defined(__GNUC__) && !defined(__ARM_FEATURE_UNALIGNED)
  pair = __builtin_assume_aligned(pair, sizeof both);
#endif
  memcpy(&both, pair, sizeof both);
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
  return __smlad((int16x2_t)both, (int16x2_t)0x00010001, sum);
#else
  return sum + (int16_t)both + ((int32_t)both >> 16);
#endif
}

/* A sum times a factor that is a power of two: only the exponent changes. */
static inline float whole_mean(int32_t sum, int32_t power) {
  const uint32_t bits = soft_float_of_signed(sum);
  return float32_of_bits(bits != 0 ? (int32_t)bits + power * (1 << 23) : 0);
}

/* Sums of rows, which lie one after another, times a factor. */
static void sum_rows(const int16_t *steps, uint32_t row, float factor, float *output, uint32_t elements) {
  const uint32_t blocks = row / (2U * PAIRS_AT_ONCE);
  const uint32_t rest = row / 2U % PAIRS_AT_ONCE;
  const bool whole = FLOAT32_SOFT && float32_is_power(factor);
  const int32_t power = float32_exponent(factor);
  for (const float *end = output + elements; output != end; output++) {
    int32_t sum = 0;
    for (uint32_t block = blocks; block > 0; block--, steps += 2U * PAIRS_AT_ONCE) {
      sum = add_pair(steps, sum);
      sum = add_pair(steps + 2, sum);
      sum = add_pair(steps + 4, sum);
      sum = add_pair(steps + 6, sum);
      sum = add_pair(steps + 8, sum);
      sum = add_pair(steps + 10, sum);
      sum = add_pair(steps + 12, sum);
      sum = add_pair(steps + 14, sum);
    }
    for (uint32_t pair = rest; pair > 0; pair--, steps += 2) {
      sum = add_pair(steps, sum);
    }
    *output = whole ? whole_mean(sum, power) : (float)sum * factor;
  }
}

static bool lacks(const int16_t *steps, uint32_t row) {
  for (uint32_t i = 0; i < row; i++) {
    if (steps[i] == NO_VALUE) {
      return true;
    }
  }
  return false;
}

static bool push(const struct work *work) {
  const struct average_parameters *parameters = work->call->parameters;
  struct average_state *state = work->call->state;
  const uint32_t elements = stage_signal(work, 0)->elements;
  const uint32_t row = average_row(parameters->pictures);
  const int16_t *steps = stage_keeps(work);
  const bool whole = FLOAT32_SOFT && float32_is_power(parameters->inverse);
  const bool complete = (whole ? store_whole : store)(stage_input(work, 0), elements, parameters->inverse,
                                                      (int16_t *)stage_keeps(work) + state->next, row);
  state->next = (uint16_t)(state->next + 1U == parameters->pictures ? 0 : state->next + 1U);
  state->clean = (uint16_t)(!complete ? 0 : state->clean < parameters->pictures ? state->clean + 1U : state->clean);
  state->count = (uint16_t)(state->count < parameters->pictures ? state->count + 1U : state->count);
  if (state->count < parameters->pictures) {
    return false;
  }
  float *output = stage_output(work);
  sum_rows(steps, row, parameters->factor, output, elements);
  for (uint32_t i = 0; state->clean < parameters->pictures && i < elements; i++) {
    if (lacks(steps + (size_t)i * row, row)) {
      output[i] = float32_nothing();
    }
  }
  return true;
}

static void reset(const struct work *work) {
  const struct average_parameters *parameters = work->call->parameters;
  struct average_state *state = work->call->state;
  *state = (struct average_state){.clean = parameters->pictures};
  memset(stage_keeps(work), 0, sizeof(int16_t) * average_row(parameters->pictures) * stage_signal(work, 0)->elements);
}

const struct stage average_stage = {.name = "average", .kind = STAGE_REMEMBERING, .push = push, .reset = reset};
