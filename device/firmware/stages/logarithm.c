/* One float32 addition, then `float32_log`. */
#include "logarithm.h"

#include "float32.h"

static uint16_t apply(const struct work *work) {
  const struct logarithm_parameters *parameters = work->call->parameters;
  const uint32_t count = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  for (uint32_t i = 0; i < count; i++) {
    output[i] = float32_log(values[i] + parameters->offset);
  }
  return 0;
}

const struct stage logarithm_stage = {.name = "logarithm", .kind = STAGE_ELEMENTWISE, .apply = apply};
