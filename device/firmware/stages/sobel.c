/* float32; each column s = (above + here) + (here + below) and d = below - above; x = s right - s left, y = (d left +
   d)
   + (d + d right); magnitude sqrt(x * x + y * y); times 0.125. */
#include "sobel.h"

#include <math.h>

#include "picture.h"

/* A column of three pixels. */
struct column {
  float sum, apart;
};

/* The columns to the left of what comes next. */
struct behind {
  float far_sum, near_sum;
  float apart; /* of the nearest */
  float pair;  /* of both */
};

struct slope {
  float along, down;
};

static inline struct column column_of(float above, float here, float below) {
  return (struct column){.sum = (above + here) + (here + below), .apart = below - above};
}

/* The slope at the nearest column, once the next one has come. */
static inline struct slope step(struct behind *behind, struct column next) {
  const float pair = behind->apart + next.apart;
  const struct slope slope = {.along = next.sum - behind->far_sum, .down = behind->pair + pair};
  *behind = (struct behind){.far_sum = behind->near_sum, .near_sum = next.sum, .apart = next.apart, .pair = pair};
  return slope;
}

static inline float magnitude(struct slope slope) {
  return sqrtf(slope.along * slope.along + slope.down * slope.down) * 0.125F;
}

static inline struct behind begin(struct column column) {
  return (struct behind){
      .far_sum = column.sum, .near_sum = column.sum, .apart = column.apart, .pair = column.apart + column.apart};
}

/* Two rows, which share pixels and sums. */
struct rows {
  const float *above, *one, *other, *below;
};

static inline void both(const struct rows *rows, uint32_t at, struct behind *one, struct behind *other, float *output,
                        uint32_t columns) {
  const float above = rows->above[at], here = rows->one[at], next = rows->other[at], below = rows->below[at];
  output[0] = magnitude(step(one, column_of(above, here, next)));
  output[columns] = magnitude(step(other, column_of(here, next, below)));
}

static void magnitudes(struct rows rows, uint32_t columns, float *output) {
  struct behind one = begin(column_of(*rows.above, *rows.one, *rows.other));
  struct behind other = begin(column_of(*rows.one, *rows.other, *rows.below));
  const uint32_t last = columns - 1U;
  for (uint32_t pairs = last / 2U; pairs > 0; pairs--, output += 2) {
    both(&rows, 1, &one, &other, output, columns);
    both(&rows, 2, &one, &other, output + 1, columns);
    rows.above += 2;
    rows.one += 2;
    rows.other += 2;
    rows.below += 2;
  }
  if (last % 2U != 0) {
    both(&rows, 1, &one, &other, output, columns);
    output++;
  }
  both(&rows, last % 2U, &one, &other, output, columns);
}

static void parts(const float *above, const float *here, const float *below, uint32_t columns, bool down,
                  float *output) {
  struct behind behind = begin(column_of(*above, *here, *below));
  for (uint32_t column = 1; column <= columns; column++) {
    const uint32_t at = column < columns ? column : columns - 1U;
    const struct slope slope = step(&behind, column_of(above[at], here[at], below[at]));
    *output++ = (down ? slope.down : slope.along) * 0.125F;
  }
}

static uint16_t apply(const struct work *work) {
  const struct sobel_parameters *parameters = work->call->parameters;
  const struct picture picture = {stage_input(work, 0), parameters->rows, parameters->columns};
  float *output = stage_output(work);
  if (parameters->give == SOBEL_MAGNITUDE) {
    for (uint32_t row = 0; row < picture.rows; row += 2U) {
      /* Of an odd number of rows the last but one is made twice. */
      const uint32_t first = row + 1U < picture.rows ? row : row - 1U;
      const float *one = picture_row(&picture, (int32_t)first);
      const struct rows rows = {picture_row(&picture, (int32_t)first - 1), one, one + picture.columns,
                                picture_row(&picture, (int32_t)first + 2)};
      magnitudes(rows, picture.columns, output + (size_t)first * picture.columns);
    }
    return 0;
  }
  for (uint32_t row = 0; row < picture.rows; row++, output += picture.columns) {
    parts(picture_row(&picture, (int32_t)row - 1), picture_row(&picture, (int32_t)row),
          picture_row(&picture, (int32_t)row + 1), picture.columns, parameters->give == SOBEL_Y, output);
  }
  return 0;
}

const struct stage sobel_stage = {.name = "sobel", .kind = STAGE_ELEMENTWISE, .apply = apply};
