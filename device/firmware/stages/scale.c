/* One float32 subtraction, one float32 multiplication. */
#include "scale.h"

static uint16_t apply(const struct work *work) {
  const struct scale_parameters *parameters = work->call->parameters;
  const uint32_t count = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  for (uint32_t i = 0; i < count; i++) {
    output[i] = (values[i] - parameters->offset) * parameters->factor;
  }
  return 0;
}

const struct stage scale_stage = {.name = "scale", .kind = STAGE_ELEMENTWISE, .apply = apply};
