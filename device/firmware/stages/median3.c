/* Copies; of an even number of values (lower middle + upper middle) * 0.5. Zeros lose their sign. A pixel without a
   value that got one is flagged.

   The median of nine is that of the greatest of the least, the middle of the middle and the least of the greatest of
   three sorted columns. Columns of two rows share two pixels, rows of two columns two columns. Numbers are compared as
   whole numbers in the order of the floats. */
#include "median3.h"

#include <stdbool.h>

#include "float32.h"
#include "picture.h"
#include "quality.h"

/* Columns sorted: lines of columns + 2 numbers, edges repeated. */
struct sorted {
  int32_t *low, *middle, *high;
};

static inline int32_t lesser(int32_t a, int32_t b) {
  return a < b ? a : b;
}

static inline int32_t greater(int32_t a, int32_t b) {
  return a > b ? a : b;
}

/* The middle of three, of which two are in order. */
static inline int32_t between(int32_t low, int32_t high, int32_t other) {
  return greater(low, lesser(high, other));
}

static inline int32_t middle_of(int32_t a, int32_t b, int32_t c) {
  return between(lesser(a, b), greater(a, b), c);
}

/* Floats to whole numbers in their order, or back. */
static inline int32_t key(int32_t bits) {
  return bits ^ ((bits >> 31) & 0x7FFFFFFF);
}

static inline void put(const struct sorted *sorted, uint32_t at, int32_t low, int32_t high, int32_t other) {
  sorted->low[at] = lesser(low, other);
  sorted->middle[at] = between(low, high, other);
  sorted->high[at] = greater(high, other);
}

static void repeat_edges(int32_t *line, uint32_t columns) {
  line[0] = line[1];
  line[columns + 1U] = line[columns];
}

/* Columns around two rows that lie one below the other. */
static void sort_columns(const int32_t *const rows[4], uint32_t columns, const struct sorted *one,
                         const struct sorted *other) {
  for (uint32_t column = 0; column < columns; column++) {
    const int32_t second = rows[1][column], third = rows[2][column];
    const int32_t low = lesser(second, third), high = greater(second, third);
    put(one, column + 1U, low, high, rows[0][column]);
    put(other, column + 1U, low, high, rows[3][column]);
  }
  int32_t *const lines[] = {one->low, one->middle, one->high, other->low, other->middle, other->high};
  for (uint32_t line = 0; line < sizeof lines / sizeof lines[0]; line++) {
    repeat_edges(lines[line], columns);
  }
}

static void medians(const struct sorted *sorted, uint32_t columns, float *output) {
  const int32_t *low = sorted->low, *middle = sorted->middle, *high = sorted->high;
  for (uint32_t column = 0; column < columns; column += 2, low += 2, middle += 2, high += 2) {
    const int32_t lows = greater(low[1], low[2]), highs = lesser(high[1], high[2]);
    const int32_t less = lesser(middle[1], middle[2]), more = greater(middle[1], middle[2]);
    const int32_t one = middle_of(greater(lows, low[0]), between(less, more, middle[0]), lesser(highs, high[0]));
    output[column] = float32_of_bits(key(one)) + 0.0F;
    if (column + 1U < columns) {
      const int32_t other = middle_of(greater(lows, low[3]), between(less, more, middle[3]), lesser(highs, high[3]));
      output[column + 1U] = float32_of_bits(key(other)) + 0.0F;
    }
  }
}

/* The median of those around a pixel that have a value. */
static float among_known(const struct picture *picture, uint32_t row, uint32_t column) {
  int32_t ordered[9];
  uint32_t known = 0;
  for (int32_t down = -1; down <= 1; down++) {
    for (int32_t along = -1; along <= 1; along++) {
      const float value = picture_at(picture, (int32_t)row + down, (int32_t)column + along);
      if (float32_is_nothing(value)) {
        continue;
      }
      const int32_t one = key(float32_bits(value));
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
  const float high = float32_of_bits(key(ordered[known / 2U]));
  return (known % 2U != 0 ? high : (float32_of_bits(key(ordered[known / 2U - 1U])) + high) * 0.5F) + 0.0F;
}

/* Replace medians near pixels without a value; the flags that brings. */
static uint16_t mend(const struct picture *picture, float *output) {
  uint16_t flags = 0;
  for (uint32_t row = 0; row < picture->rows; row++) {
    for (uint32_t column = 0; column < picture->columns; column++) {
      if (!float32_is_nothing(picture_at(picture, (int32_t)row, (int32_t)column))) {
        continue;
      }
      for (uint32_t near = row > 0 ? row - 1U : 0U; near <= row + 1U && near < picture->rows; near++) {
        for (uint32_t at = column > 0 ? column - 1U : 0U; at <= column + 1U && at < picture->columns; at++) {
          output[near * picture->columns + at] = among_known(picture, near, at);
        }
      }
      if (!float32_is_nothing(output[row * picture->columns + column])) {
        flags = QUALITY_FILLED;
      }
    }
  }
  return flags;
}

static uint16_t apply(const struct work *work) {
  const struct median3_parameters *parameters = work->call->parameters;
  const struct picture picture = {stage_input(work, 0), parameters->rows, parameters->columns};
  const uint32_t rows = picture.rows, columns = picture.columns, length = columns + 2U;
  int32_t *scratch = stage_scratch(work);
  const struct sorted one = {scratch, scratch + length, scratch + 2U * length};
  const struct sorted other = {scratch + 3U * length, scratch + 4U * length, scratch + 5U * length};
  int32_t *keys = scratch + 6U * length;
  bool complete = true;
  for (uint32_t i = 0; i < rows * columns; i++) {
    const int32_t bits = float32_bits(picture.values[i]);
    keys[i] = key(bits);
    complete = complete && (bits & 0x7FFFFFFF) <= 0x7F800000;
  }
  float *output = stage_output(work);
  for (uint32_t row = 0; row < rows; row += 2U) {
    const int32_t *lines[4];
    for (int32_t i = 0; i < 4; i++) {
      lines[i] = keys + (size_t)picture_place((int32_t)row + i - 1, rows) * columns;
    }
    sort_columns(lines, columns, &one, &other);
    medians(&one, columns, output + (size_t)row * columns);
    if (row + 1U < rows) {
      medians(&other, columns, output + (size_t)(row + 1U) * columns);
    }
  }
  return complete ? 0U : mend(&picture, output);
}

const struct stage median3_stage = {.name = "median3", .kind = STAGE_ELEMENTWISE, .apply = apply};
