/* Copies; float32 comparisons. */
#include "domain_gate.h"

#include <string.h>

#include "quality.h"

enum { OF, BY };

static uint16_t go_on(const struct work *work) {
  const struct domain_gate_parameters *parameters = work->call->parameters;
  const float *by = stage_input(work, BY);
  const uint16_t said = (uint16_t)(stage_sample(work, OF)->flags | stage_sample(work, BY)->flags);
  bool within = !(parameters->calibrated && (said & QUALITY_UNCALIBRATED) != 0);
  for (uint32_t i = 0; i < stage_signal(work, BY)->elements; i++) {
    within = within && by[i] >= parameters->low && by[i] <= parameters->high;
  }
  memcpy(stage_output(work), stage_input(work, OF), stage_signal(work, OF)->elements * sizeof(float));
  return within ? 0 : QUALITY_OUT_OF_DOMAIN;
}

static void reset(const struct work *work) {
  (void)work;
}

const struct stage domain_gate_stage = {.name = "domain_gate", .kind = STAGE_RECURSIVE, .go_on = go_on, .reset = reset};
