/* A row sum of value * weight in the order of columns, then the sum of these sums * weight in the order of rows. Where
   that gives NaN: the sum of value * (weight of the row * weight of the column) over the sum of these weights, of those
   that have a value. */
#include "resize.h"

#include <stddef.h>

#include "float32.h"

/* What a new pixel rests on: the old pixels and their weights. */
struct patch {
  const float *values;
  const float *down, *along;
  uint32_t rows, columns, wide;
};

static float mean_of(const struct patch *patch) {
  const float *row = patch->values;
  float sum = 0.0F;
  for (uint32_t i = 0; i < patch->rows; i++, row += patch->wide) {
    float line = 0.0F;
    for (uint32_t j = 0; j < patch->columns; j++) {
      line += row[j] * patch->along[j];
    }
    sum += line * patch->down[i];
  }
  return sum;
}

static float mean_of_known(const struct patch *patch) {
  const float *row = patch->values;
  float total = 0.0F, weight = 0.0F;
  for (uint32_t i = 0; i < patch->rows; i++, row += patch->wide) {
    for (uint32_t j = 0; j < patch->columns; j++) {
      if (!float32_is_nothing(row[j])) {
        const float share = patch->down[i] * patch->along[j];
        total += row[j] * share;
        weight += share;
      }
    }
  }
  return total / weight;
}

static uint16_t apply(const struct work *work) {
  const struct resize_parameters *parameters = work->call->parameters;
  const struct resize_taps *down = &parameters->down, *along = &parameters->along;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  struct patch patch = {.down = down->weights, .wide = parameters->wide};
  for (uint32_t row = 0; row < parameters->rows; row++) {
    const float *line = values + (size_t)down->first[row] * parameters->wide;
    patch.rows = down->count[row];
    patch.along = along->weights;
    for (uint32_t column = 0; column < parameters->columns; column++) {
      patch.values = line + along->first[column];
      patch.columns = along->count[column];
      const float mean = mean_of(&patch);
      *output++ = float32_is_nothing(mean) ? mean_of_known(&patch) : mean;
      patch.along += patch.columns;
    }
    patch.down += patch.rows;
  }
  return 0;
}

const struct stage resize_stage = {.name = "resize", .kind = STAGE_ELEMENTWISE, .apply = apply};
