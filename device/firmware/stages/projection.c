/* float32 products summed in the order of elements, each product rounded before it is added; the unexplained part
   likewise. */
#include "projection.h"

#include <math.h>
#include <stddef.h>

#include "float32.h"

/* Decimal logarithm of the root mean square that the rows leave unexplained. */
static float noise_of(const struct projection_parameters *parameters, const float *values, uint32_t count,
                      const float *along) {
  float sum = 0.0F;
  for (uint32_t i = 0; i < count; i++) {
    const float left = values[i] - float32_product(along, parameters->basis + i, parameters->rows, count);
    sum += left * left;
  }
  const float mean = sum / (float)(count - parameters->rows);
  return float32_log10(sqrtf(mean) + parameters->least_noise);
}

static uint16_t apply(const struct work *work) {
  const struct projection_parameters *parameters = work->call->parameters;
  const uint32_t count = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  for (uint32_t row = 0; row < parameters->rows; row++) {
    output[row] = float32_product(values, parameters->basis + (size_t)row * count, count, 1);
  }
  if (parameters->least_noise > 0.0F) {
    output[parameters->rows] = noise_of(parameters, values, count, output);
  }
  for (uint32_t row = 0; parameters->offset != NULL && row < parameters->rows; row++) {
    output[row] += parameters->offset[row];
  }
  return 0;
}

const struct stage projection_stage = {.name = "projection", .kind = STAGE_ELEMENTWISE, .apply = apply};
