/* Copies. Flags where another signal than the first stood in. */
#include "prefer.h"

#include "float32.h"
#include "quality.h"

static uint16_t apply(const struct work *work) {
  const uint32_t elements = work->signals[work->call->output].elements;
  float *output = stage_output(work);
  uint16_t flags = 0;
  for (uint32_t i = 0; i < elements; i++) {
    float value = stage_input(work, 0)[i];
    for (uint32_t other = 1; float32_is_nothing(value) && other < work->call->input_count; other++) {
      value = stage_input(work, other)[i];
      flags |= float32_is_nothing(value) ? 0 : QUALITY_FILLED;
    }
    flags |= float32_is_nothing(value) ? QUALITY_MISSING : 0;
    output[i] = value;
  }
  return flags;
}

const struct stage prefer_stage = {
    .name = "prefer", .kind = STAGE_ELEMENTWISE, .settles = QUALITY_NO_VALUE, .apply = apply};
