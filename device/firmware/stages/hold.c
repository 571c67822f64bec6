/* Copies. Flags what is missing before the first sample, and what is too old. */
#include "hold.h"

#include <string.h>

#include "float32.h"
#include "quality.h"

enum { OF, ON };

static bool join(const struct work *work, struct sample *output) {
  const struct hold_parameters *parameters = work->call->parameters;
  struct hold_state *state = work->call->state;
  const struct sample *of = stage_sample(work, OF);
  const struct sample *on = stage_sample(work, ON);
  const uint32_t elements = stage_signal(work, OF)->elements;
  if (of->present) {
    *state = (struct hold_state){.time_us = work->time_us, .flags = of->flags, .held = true};
    memcpy(stage_keeps(work), stage_input(work, OF), elements * sizeof(float));
  }
  if (!on->present) {
    return false;
  }
  if (state->held && !state->stale && parameters->oldest_us != 0 &&
      work->time_us - state->time_us > parameters->oldest_us) {
    *state = (struct hold_state){.flags = QUALITY_STALE, .held = true, .stale = true};
    float32_fill_nothing(stage_keeps(work), elements);
  }
  output->flags = (uint16_t)(on->flags | (state->held ? state->flags : QUALITY_MISSING));
  output->fresh = on->fresh;
  return true;
}

static void reset(const struct work *work) {
  struct hold_state *state = work->call->state;
  *state = (struct hold_state){.held = false};
  float32_fill_nothing(stage_keeps(work), stage_signal(work, OF)->elements);
}

const struct stage hold_stage = {.name = "hold", .kind = STAGE_LATCHED, .join = join, .reset = reset};
