/* float32; sums in the order of rows; sd in two passes; slope: sum of x t with t from -(n-1)/2, over n (n^2-1) / 12,
   over the spacing; a row without a value makes the statistic one without. Of zeros that are not computed the sign is
   not told. */
#include "statistics.h"

#include <math.h>
#include <stddef.h>

#include "float32.h"

/* Rows of one column. */
struct column {
  const float *values;
  uint32_t count;
  uint32_t stride;
};

static float row_of(const struct column *column, uint32_t row) {
  return column->values[(size_t)row * column->stride];
}

static float sd_of(const struct column *column) {
  const float mean = float32_mean(column->values, column->count, column->stride);
  float sum = 0.0F;
  for (uint32_t i = 0; i < column->count; i++) {
    const float apart = row_of(column, i) - mean;
    sum += apart * apart;
  }
  return sqrtf(sum / (float)column->count);
}

static float slope_of(const struct column *column, float square, float spacing_s) {
  const float middle = (float)(column->count - 1U) * 0.5F;
  float sum = 0.0F;
  for (uint32_t i = 0; i < column->count; i++) {
    sum += row_of(column, i) * ((float)i - middle);
  }
  return sum / square / spacing_s;
}

/* The greatest or least change over `lag` rows; with a lag of 0, of the rows themselves. */
static float extreme_of(const struct column *column, uint32_t lag, bool greatest) {
  float extreme = 0.0F;
  for (uint32_t i = lag; i < column->count; i++) {
    const float value = lag > 0 ? row_of(column, i) - row_of(column, i - lag) : row_of(column, i);
    if (float32_is_nothing(value)) {
      return value;
    }
    if (i == lag || (greatest ? value > extreme : value < extreme)) {
      extreme = value;
    }
  }
  return extreme + 0.0F;
}

static float change_of(const struct column *column, uint32_t lag) {
  float sum = 0.0F;
  for (uint32_t i = lag; i < column->count; i++) {
    sum += fabsf(row_of(column, i) - row_of(column, i - lag));
  }
  return sum / (float)(column->count - lag);
}

/* The median, or the element at a rank. */
static float ranked(const struct column *column, bool median, uint32_t rank, struct order_scratch *scratch) {
  const struct order order = order_of(column->values, column->count, column->stride);
  if (order.known < column->count) {
    return float32_nothing();
  }
  float next;
  return median ? order_median(&order, scratch) : order_find(&order, rank, scratch, &next);
}

static float spacing_of(const struct work *work) {
  const struct statistics_parameters *parameters = work->call->parameters;
  const struct pace *pace = stage_pace(work, parameters->pace);
  return pace == NULL ? parameters->spacing_s : parameters->spacing_s * (float)pace->planned_mhz / (float)pace->at_mhz;
}

static float value_of(const struct work *work, const struct statistics_term *term, const float *values,
                      uint32_t stride) {
  const struct column column = {
      .values = values + (size_t)term->first * stride, .count = term->count, .stride = stride};
  switch (term->what) {
    case STATISTIC_MEAN:
      return float32_mean(column.values, column.count, column.stride);
    case STATISTIC_SD:
      return sd_of(&column);
    case STATISTIC_SLOPE:
      return slope_of(&column, term->square, spacing_of(work));
    case STATISTIC_MIN:
    case STATISTIC_FALL:
      return extreme_of(&column, term->number, false);
    case STATISTIC_MAX:
    case STATISTIC_RISE:
      return extreme_of(&column, term->number, true);
    case STATISTIC_RANGE:
      return extreme_of(&column, 0, true) - extreme_of(&column, 0, false);
    case STATISTIC_FIRST:
      return row_of(&column, 0);
    case STATISTIC_LAST:
      return row_of(&column, column.count - 1U);
    case STATISTIC_CHANGE:
      return change_of(&column, term->number);
    case STATISTIC_MEDIAN:
      return ranked(&column, true, 0, stage_scratch(work));
    case STATISTIC_PERCENTILE:
      return ranked(&column, false, (column.count - 1U) * term->number / 100U, stage_scratch(work));
  }
  return float32_nothing();
}

static uint16_t apply(const struct work *work) {
  const struct statistics_parameters *parameters = work->call->parameters;
  const uint32_t columns = stage_signal(work, 0)->elements / parameters->rows;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  for (uint32_t column = 0; column < columns; column++) {
    const struct statistics_term *term = parameters->terms;
    for (uint32_t i = 0; i < parameters->results; i++) {
      float value = value_of(work, term, values + column, columns);
      if (term->less) {
        term++;
        value -= value_of(work, term, values + column, columns);
      }
      term++;
      *output++ = value;
    }
  }
  return 0;
}

const struct stage statistics_stage = {.name = "statistics", .kind = STAGE_ELEMENTWISE, .apply = apply};
