/* One float32 subtraction a pair. */
#include "difference.h"

#include <stddef.h>

static uint16_t apply(const struct work *work) {
  const struct difference_parameters *parameters = work->call->parameters;
  const uint32_t given = work->signals[work->call->output].elements;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  if (parameters->first != NULL) {
    for (uint32_t i = 0; i < given; i++) {
      output[i] = values[parameters->first[i]] - values[parameters->second[i]];
    }
    return 0;
  }
  const uint32_t half = parameters->columns / 2U;
  for (const float *end = output + given; output != end; values += parameters->columns) {
    for (uint32_t column = 0; column < half; column++) {
      *output++ = values[column] - values[parameters->columns - 1U - column];
    }
  }
  return 0;
}

const struct stage difference_stage = {.name = "difference", .kind = STAGE_ELEMENTWISE, .apply = apply};
