/* One float32 subtraction and one float32 division an element; no value to 0, which is flagged; clipped. */
#include "normalise.h"

#include "float32.h"
#include "quality.h"

static uint16_t apply(const struct work *work) {
  const struct normalise_parameters *parameters = work->call->parameters;
  const uint32_t count = stage_signal(work, 0)->elements;
  const float limit = parameters->limit;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  uint16_t flags = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (float32_is_nothing(values[i])) {
      output[i] = 0.0F;
      flags = QUALITY_FILLED;
      continue;
    }
    const float scaled = (values[i] - parameters->centre[parameters->one_centre ? 0 : i]) /
                         parameters->spread[parameters->one_spread ? 0 : i];
    output[i] = scaled < -limit ? -limit : scaled > limit ? limit : scaled;
  }
  return flags;
}

const struct stage normalise_stage = {.name = "normalise", .kind = STAGE_ELEMENTWISE, .apply = apply};
