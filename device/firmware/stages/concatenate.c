/* Copies. */
#include "concatenate.h"

#include <string.h>

static uint16_t apply(const struct work *work) {
  float *output = stage_output(work);
  for (uint32_t i = 0; i < work->call->input_count; i++) {
    const uint32_t count = stage_signal(work, i)->elements;
    memcpy(output, stage_input(work, i), count * sizeof output[0]);
    output += count;
  }
  return 0;
}

const struct stage concatenate_stage = {.name = "concatenate", .kind = STAGE_ELEMENTWISE, .apply = apply};
