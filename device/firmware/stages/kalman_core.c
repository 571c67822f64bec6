/* float32 of T - 37 degC; steepness 2 a2 T + a1, gain v c / (c c v + variance of the rate); the expected rate by
   Horner's rule. */
#include "kalman_core.h"

#include <math.h>

#include "float32.h"
#include "quality.h"

#define MINUTE_US INT64_C(60000000)
#define LONGEST_MINUTES 10000
#define MIDDLE 37.0F

static void pass(const struct kalman_core_parameters *parameters, struct kalman_core_state *state, int64_t time_us) {
  int64_t minutes = 1;
  if (state->begun) {
    const int64_t since_us = time_us - state->newest_us + MINUTE_US / 2;
    minutes = since_us < MINUTE_US ? 1 : since_us / MINUTE_US;
    minutes = minutes < LONGEST_MINUTES ? minutes : LONGEST_MINUTES;
  }
  state->begun = true;
  state->newest_us = time_us;
  state->variance = state->variance + (float)minutes * parameters->variance;
}

static void take(const struct kalman_core_parameters *parameters, struct kalman_core_state *state, float rate) {
  const float steepness = 2.0F * parameters->bend * state->above + parameters->slope;
  const float gain =
      state->variance * steepness / (steepness * steepness * state->variance + parameters->heart_variance);
  const float expected = (parameters->bend * state->above + parameters->slope) * state->above + parameters->level;
  const float above = state->above + gain * (rate - expected);
  if (float32_is_finite(above)) {
    state->above = above;
    state->variance = (1.0F - gain * steepness) * state->variance;
  }
}

static uint16_t go_on(const struct work *work) {
  const struct kalman_core_parameters *parameters = work->call->parameters;
  struct kalman_core_state *state = work->call->state;
  const float rate = stage_input(work, 0)[0];
  float *output = stage_output(work);
  uint16_t flags = 0;
  pass(parameters, state, work->time_us);
  if (float32_is_finite(rate) && (stage_sample(work, 0)->flags & QUALITY_DOUBTFUL) == 0) {
    take(parameters, state, rate);
  } else {
    flags |= QUALITY_FILLED;
  }
  output[0] = state->above + MIDDLE;
  output[1] = sqrtf(state->variance);
  if (!(state->above >= parameters->lowest && state->above <= parameters->highest)) {
    flags |= QUALITY_OUT_OF_DOMAIN;
  }
  return flags;
}

static void reset(const struct work *work) {
  const struct kalman_core_parameters *parameters = work->call->parameters;
  struct kalman_core_state *state = work->call->state;
  *state = (struct kalman_core_state){.above = parameters->start};
}

const struct stage kalman_core_stage = {
    .name = "kalman_core", .kind = STAGE_RECURSIVE, .lasting = true, .go_on = go_on, .reset = reset};
