/* float32; heights are sums in the order of rows, each product rounded. Operation by operation as
   thermo_core.stages.step_removal, which has the method. */
#include "step_removal.h"

#include <math.h>

#include "float32.h"

#define MOST 6U
#define HALF (STEP_REMOVAL_TAPS / 2U)

/* A column of the output, where it begins as that of the input. */
struct column {
  float *values;
  uint32_t stride;
  uint32_t rows;
};

static float *at(const struct column *column, uint32_t row) {
  return column->values + (size_t)row * column->stride;
}

static float height_at(const struct column *column, uint32_t row, const float *taps) {
  float height = 0.0F;
  for (uint32_t tap = 0; tap < STEP_REMOVAL_TAPS; tap++) {
    height += taps[tap] * *at(column, row - HALF + tap);
  }
  return height;
}

/* Median size of second differences, of those that there are. */
static float bend_of(const struct column *column, float *bends, struct order_scratch *scratch) {
  for (uint32_t row = 0; row + 2U < column->rows; row++) {
    const float next = *at(column, row + 1U);
    bends[row] = fabsf(*at(column, row + 2U) - next - (next - *at(column, row)));
  }
  const struct order order = order_of(bends, column->rows - 2U, 1);
  return order_median(&order, scratch);
}

/* Take the largest step away; whether there was one. */
static bool remove_largest(const struct column *column, const struct step_removal_parameters *parameters, float least) {
  float largest = 0.0F;
  float height = 0.0F;
  uint32_t place = column->rows;
  for (uint32_t row = parameters->first; row + HALF <= column->rows; row++) {
    const float found = height_at(column, row, parameters->taps);
    if (fabsf(found) > largest) {
      largest = fabsf(found);
      height = found;
      place = row;
    }
  }
  if (!(largest > least)) {
    return false;
  }
  for (uint32_t row = place; row < column->rows; row++) {
    *at(column, row) -= height;
  }
  return true;
}

static uint16_t apply(const struct work *work) {
  const struct step_removal_parameters *parameters = work->call->parameters;
  const uint32_t elements = stage_signal(work, 0)->elements;
  const uint32_t columns = elements / parameters->rows;
  const float *input = stage_input(work, 0);
  float *output = stage_output(work);
  for (uint32_t i = 0; i < elements; i++) {
    output[i] = input[i];
  }
  struct order_scratch *scratch = stage_scratch(work);
  float *bends = (float *)(void *)(scratch + 1);
  for (uint32_t number = 0; number < columns; number++) {
    const struct column column = {.values = output + number, .stride = columns, .rows = parameters->rows};
    const float told = bend_of(&column, bends, scratch) * parameters->threshold;
    const float least = told > parameters->least ? told : parameters->least;
    for (uint32_t step = 0; step < MOST && remove_largest(&column, parameters, least); step++) {
    }
  }
  return 0;
}

const struct stage step_removal_stage = {.name = "step_removal", .kind = STAGE_ELEMENTWISE, .apply = apply};
