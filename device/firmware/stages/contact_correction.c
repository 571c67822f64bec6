/* One float32 subtraction, multiplication and addition an element. */
#include "contact_correction.h"

enum { NODES, AIR };

static uint16_t apply(const struct work *work) {
  const struct contact_correction_parameters *parameters = work->call->parameters;
  const float *nodes = stage_input(work, NODES);
  const float air = stage_input(work, AIR)[0];
  float *output = stage_output(work);
  for (uint32_t i = 0; i < stage_signal(work, NODES)->elements; i++) {
    output[i] = nodes[i] + parameters->factors[parameters->one_factor ? 0 : i] * (nodes[i] - air);
  }
  return 0;
}

const struct stage contact_correction_stage = {.name = "contact_correction", .kind = STAGE_ELEMENTWISE, .apply = apply};
