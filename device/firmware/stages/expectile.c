/* float32; level + min(pace w, 1) (x - level) with w = microseconds that the sample stands for over those learned. */
#include "expectile.h"

#include "float32.h"
#include "quality.h"

static float learned_of(const struct expectile_parameters *parameters, float level, float x, float weight) {
  if (!float32_is_finite(x)) {
    return level;
  }
  if (float32_is_nothing(level)) {
    return x;
  }
  const float apart = x - level;
  const float pace = (apart < 0.0F ? parameters->lower : parameters->higher) * weight;
  const float moved = level + (pace < 1.0F ? pace : 1.0F) * apart;
  return float32_is_finite(moved) ? moved : level;
}

static void learn(const struct work *work, int64_t since_us) {
  const struct expectile_parameters *parameters = work->call->parameters;
  struct expectile_state *state = work->call->state;
  const uint32_t count = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0);
  float *levels = stage_keeps(work);
  if (!float32_any_finite(values, count)) {
    return;
  }
  state->learned_us += since_us;
  const int64_t all_us = parameters->before_us + state->learned_us;
  const int64_t most_us = all_us < parameters->memory_us ? all_us : parameters->memory_us;
  const float weight = most_us != 0 ? float32_of_signed(since_us) / float32_of_signed(most_us) : 0.0F;
  for (uint32_t i = 0; i < count; i++) {
    levels[i] = learned_of(parameters, levels[i], values[i], weight);
  }
}

static uint16_t go_on(const struct work *work) {
  const struct expectile_parameters *parameters = work->call->parameters;
  struct expectile_state *state = work->call->state;
  const uint32_t count = stage_signal(work, 0)->elements;
  const float *levels = stage_keeps(work);
  float *output = stage_output(work);
  const int64_t since_us = elapsed_since(&state->elapsed, work->time_us, stage_gap_us(work, 0));
  if ((stage_sample(work, 0)->flags & QUALITY_DOUBTFUL) == 0) {
    learn(work, since_us);
  }
  for (uint32_t i = 0; i < count; i++) {
    output[i] = levels[i];
  }
  return state->learned_us < parameters->least_us ? QUALITY_UNCALIBRATED : 0;
}

static void reset(const struct work *work) {
  const struct expectile_parameters *parameters = work->call->parameters;
  const uint32_t count = stage_signal(work, 0)->elements;
  struct expectile_state *state = work->call->state;
  float *levels = stage_keeps(work);
  *state = (struct expectile_state){0};
  for (uint32_t i = 0; i < count; i++) {
    levels[i] = parameters->starts ? parameters->start : float32_nothing();
  }
}

const struct stage expectile_stage = {
    .name = "expectile", .kind = STAGE_RECURSIVE, .lasting = true, .go_on = go_on, .reset = reset};
