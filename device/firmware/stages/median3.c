/* x / step, saturated to +-32767 and rounded half to even, as int16; the sum of the lower and upper middle, which are
   one of an odd number, times step / 2. A pixel without a value that got one is flagged.

   The median of nine is that of the greatest of the least, the middle of the middle and the least of the greatest of
   three sorted columns. Two pixels are a word, which a Cortex-M4 sorts at once. */
#include "median3.h"

#include <stdbool.h>
#include <string.h>

#include "float32.h"
#include "picture.h"
#include "quality.h"

#if defined(__ARM_FEATURE_SIMD32) && defined(__GNUC__)
#include <arm_acle.h>
#endif

#define LARGEST 32767
#define NO_VALUE INT16_MIN
#define LOWEST_BITS (FLOAT32_ROUNDER_BITS - LARGEST)

/* Two pixels beside each other. */
typedef uint32_t pair;

static inline pair load(const int16_t *steps) {
  pair both;
  memcpy(&both, steps, sizeof both);
  return both;
}

static inline void store(int16_t *steps, pair both) {
  memcpy(steps, &both, sizeof both);
}

static inline pair paired(int32_t low, int32_t high) {
  return (uint16_t)low | (uint32_t)high << 16;
}

static inline int32_t low_of(pair both) {
  return (int16_t)both;
}

static inline int32_t high_of(pair both) {
  return (int16_t)(both >> 16);
}

/* The lesser ones of two pairs to `a`, the greater ones to `b`. */
static inline void sort(pair *a, pair *b) {
#if defined(__ARM_FEATURE_SIMD32) && defined(__GNUC__)
  (void)__ssub16((int16x2_t)*a, (int16x2_t)*b);
  const pair more = __sel(*a, *b);
  *a = __sel(*b, *a);
  *b = more;
#else
  const bool low = low_of(*a) > low_of(*b), high = high_of(*a) > high_of(*b);
  const pair less = paired(low_of(low ? *b : *a), high_of(high ? *b : *a));
  *b = paired(low_of(low ? *a : *b), high_of(high ? *a : *b));
  *a = less;
#endif
}

static inline pair lesser(pair a, pair b) {
  sort(&a, &b);
  return a;
}

static inline pair greater(pair a, pair b) {
  sort(&a, &b);
  return b;
}

static inline pair middle_of(pair a, pair b, pair c) {
  sort(&a, &b);
  return greater(a, lesser(b, c));
}

static inline float lowered(int32_t sum, float half) {
  return (float)sum * half;
}

/* Take a row into steps, its edges repeated; whether every number has a value. */
static bool take(const float *values, uint32_t columns, float inverse, int16_t *row) {
  bool complete = true;
  int16_t *place = row + 1;
  for (const float *end = values + columns; values != end; values++, place++) {
    const int32_t bits = float32_bits(*values * inverse + FLOAT32_ROUNDER);
    int32_t steps = bits - FLOAT32_ROUNDER_BITS;
    if ((uint32_t)bits - (uint32_t)LOWEST_BITS > 2U * LARGEST) {
      if (float32_is_nothing(*values)) {
        steps = NO_VALUE;
        complete = false;
      } else {
        steps = bits < LOWEST_BITS ? -LARGEST : LARGEST;
      }
    }
    *place = (int16_t)steps;
  }
  row[0] = row[1];
  place[0] = place[-1];
  row[median3_row(columns) - 1U] = place[0];
  return complete;
}

/* Columns of three rows, each sorted into three lines. */
static void sort_columns(const int16_t *const rows[3], uint32_t length, int16_t *lines) {
  const int16_t *above = rows[0], *here = rows[1], *below = rows[2];
  int16_t *const middles = lines + length, *const highs = middles + length;
  for (uint32_t at = 0; at < length; at += 2U) {
    pair low = load(above + at), middle = load(here + at), high = load(below + at);
    sort(&low, &middle);
    sort(&middle, &high);
    sort(&low, &middle);
    store(lines + at, low);
    store(middles + at, middle);
    store(highs + at, high);
  }
}

static void medians(const int16_t *lines, uint32_t columns, float step, float *output) {
  const uint32_t length = median3_row(columns);
  const int16_t *low = lines, *middle = lines + length, *high = middle + length;
  float *const end = output + columns / 2U * 2U;
  for (; output != end; low += 2, middle += 2, high += 2, output += 2) {
    const pair lows = greater(greater(load(low), load(low + 1)), load(low + 2));
    const pair middles = middle_of(load(middle), load(middle + 1), load(middle + 2));
    const pair highs = lesser(lesser(load(high), load(high + 1)), load(high + 2));
    const pair found = middle_of(lows, middles, highs);
    output[0] = lowered(low_of(found), step);
    output[1] = lowered(high_of(found), step);
  }
  if (columns % 2U != 0) {
    /* The last pixel and what would be the next; there are three pixels and one more in a row. */
    const pair lows = greater(greater(load(low), load(low + 1)), load(low + 2));
    const pair middles = middle_of(load(middle), load(middle + 1), load(middle + 2));
    const pair highs = lesser(lesser(load(high), load(high + 1)), load(high + 2));
    *output = lowered(low_of(middle_of(lows, middles, highs)), step);
  }
}

/* The median of those around a pixel that have a value. */
static float among_known(const int16_t *steps, const struct median3_parameters *parameters, uint32_t row,
                         uint32_t column) {
  int32_t ordered[9] = {0};
  uint32_t known = 0;
  for (int32_t down = -1; down <= 1; down++) {
    const int16_t *line =
        steps + (size_t)picture_place((int32_t)row + down, parameters->rows) * median3_row(parameters->columns);
    for (uint32_t along = 0; along < 3U; along++) {
      const int32_t one = line[column + along];
      if (one == NO_VALUE) {
        continue;
      }
      uint32_t at = known++;
      for (; at > 0 && ordered[at - 1U] > one; at--) {
        ordered[at] = ordered[at - 1U];
      }
      ordered[at] = one;
    }
  }
  if (known == 0) {
    return float32_nothing();
  }
  return lowered(ordered[(known - 1U) / 2U] + ordered[known / 2U], parameters->half);
}

/* Replace medians near pixels without a value; the flags that brings. */
static uint16_t mend(const int16_t *steps, const struct median3_parameters *parameters, float *output) {
  const uint32_t rows = parameters->rows, columns = parameters->columns, length = median3_row(columns);
  uint16_t flags = 0;
  for (uint32_t row = 0; row < rows; row++) {
    for (uint32_t column = 0; column < columns; column++) {
      if (steps[row * length + column + 1U] != NO_VALUE) {
        continue;
      }
      for (uint32_t near = row > 0 ? row - 1U : 0U; near <= row + 1U && near < rows; near++) {
        for (uint32_t at = column > 0 ? column - 1U : 0U; at <= column + 1U && at < columns; at++) {
          output[near * columns + at] = among_known(steps, parameters, near, at);
        }
      }
      if (!float32_is_nothing(output[row * columns + column])) {
        flags = QUALITY_FILLED;
      }
    }
  }
  return flags;
}

static uint16_t apply(const struct work *work) {
  const struct median3_parameters *parameters = work->call->parameters;
  const uint32_t rows = parameters->rows, columns = parameters->columns, length = median3_row(columns);
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  int16_t *lines = stage_scratch(work);
  int16_t *steps = lines + 4U * length;
  bool complete = true;
  for (uint32_t row = 0; row < rows; row++) {
    complete =
        take(values + (size_t)row * columns, columns, parameters->inverse, steps + (size_t)row * length) && complete;
  }
  const float step = 2.0F * parameters->half;
  for (uint32_t row = 0; row < rows; row++) {
    const int16_t *around[3];
    for (int32_t i = 0; i < 3; i++) {
      around[i] = steps + (size_t)picture_place((int32_t)row + i - 1, rows) * length;
    }
    sort_columns(around, length, lines);
    medians(lines, columns, step, output + (size_t)row * columns);
  }
  return complete ? 0U : mend(steps, parameters, output);
}

const struct stage median3_stage = {.name = "median3", .kind = STAGE_ELEMENTWISE, .apply = apply};
