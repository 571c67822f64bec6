/* Copies. */
#include "select.h"

static uint16_t apply(const struct work *work) {
  const struct select_parameters *parameters = work->call->parameters;
  const uint32_t count = work->signals[work->call->output].elements;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  for (uint32_t i = 0; i < count; i++) {
    output[i] = values[parameters->places[i]];
  }
  return 0;
}

const struct stage select_stage = {.name = "select", .kind = STAGE_ELEMENTWISE, .apply = apply};
