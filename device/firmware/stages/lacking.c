/* 0 and 1. */
#include "lacking.h"

#include "float32.h"
#include "quality.h"

static uint16_t apply(const struct work *work) {
  const uint32_t count = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  for (uint32_t i = 0; i < count; i++) {
    output[i] = float32_is_finite(values[i]) ? 0.0F : 1.0F;
  }
  return 0;
}

const struct stage lacking_stage = {
    .name = "lacking", .kind = STAGE_ELEMENTWISE, .settles = QUALITY_NO_VALUE, .apply = apply};
