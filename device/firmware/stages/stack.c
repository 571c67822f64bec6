/* Copies. */
#include "stack.h"

static uint16_t apply(const struct work *work) {
  const uint32_t pictures = work->call->input_count;
  const uint32_t pixels = stage_signal(work, 0)->elements;
  for (uint32_t picture = 0; picture < pictures; picture++) {
    const float *input = stage_input(work, picture);
    float *output = stage_output(work) + picture;
    for (uint32_t i = 0; i < pixels; i++) {
      output[(size_t)i * pictures] = input[i];
    }
  }
  return 0;
}

const struct stage stack_stage = {.name = "stack", .kind = STAGE_ELEMENTWISE, .apply = apply};
