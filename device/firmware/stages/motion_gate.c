/* Copies. */
#include "motion_gate.h"

#include <string.h>

#include "quality.h"

enum { OF, MOTION };

static uint16_t go_on(const struct work *work) {
  const struct motion_gate_parameters *parameters = work->call->parameters;
  struct motion_gate_state *state = work->call->state;
  const float *motion = stage_input(work, MOTION);
  for (uint32_t i = 0; i < stage_signal(work, MOTION)->elements; i++) {
    if (motion[i] > parameters->threshold) {
      *state = (struct motion_gate_state){.newest_us = work->time_us, .moved = true};
    }
  }
  memcpy(stage_output(work), stage_input(work, OF), stage_signal(work, OF)->elements * sizeof(float));
  return state->moved && work->time_us - state->newest_us <= parameters->hold_us ? QUALITY_MOVING : 0;
}

static void reset(const struct work *work) {
  struct motion_gate_state *state = work->call->state;
  *state = (struct motion_gate_state){0};
}

const struct stage motion_gate_stage = {.name = "motion_gate", .kind = STAGE_RECURSIVE, .go_on = go_on, .reset = reset};
