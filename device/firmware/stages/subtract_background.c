/* float32; the background goes a share w of the difference, or as far as threshold * w, with w = microseconds that the
   sample stands for over those learned. */
#include "subtract_background.h"

#include <math.h>
#include <string.h>

#include "float32.h"
#include "quality.h"

static float step_of(const struct subtract_background_parameters *parameters, float apart, float share) {
  if (!parameters->median) {
    return share * apart;
  }
  const float reach = parameters->threshold * share;
  return apart > reach ? reach : apart < -reach ? -reach : apart;
}

static bool is_before(float value, float apart, float threshold) {
  return float32_is_finite(value) && fabsf(apart) > threshold;
}

static void learn(const struct work *work, bool ready, int64_t since_us) {
  const struct subtract_background_parameters *parameters = work->call->parameters;
  struct subtract_background_state *state = work->call->state;
  const uint32_t elements = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0);
  float *levels = stage_keeps(work);
  uint16_t *seen_s = (uint16_t *)(void *)(levels + elements);
  state->learned_us += since_us;
  const uint16_t now_s = (uint16_t)(state->learned_us / 1000000);
  const int64_t most_us =
      state->learned_us < parameters->time_constant_us ? state->learned_us : parameters->time_constant_us;
  const float whole = float32_of_signed(since_us) / float32_of_signed(most_us > 1 ? most_us : 1);
  const float share = whole < 1.0F ? whole : 1.0F;
  for (uint32_t i = 0; i < elements; i++) {
    const float apart = values[i] - levels[i];
    if (ready && is_before(values[i], apart, parameters->threshold)) {
      if (parameters->patience_s == 0 || (uint16_t)(now_s - seen_s[i]) < parameters->patience_s) {
        continue;
      }
      levels[i] = values[i];
    } else if (float32_is_finite(values[i])) {
      const float moved = levels[i] + step_of(parameters, apart, share);
      levels[i] = float32_is_nothing(levels[i]) ? values[i] : float32_is_finite(moved) ? moved : levels[i];
    }
    seen_s[i] = now_s;
  }
}

static uint16_t go_on(const struct work *work) {
  const struct subtract_background_parameters *parameters = work->call->parameters;
  struct subtract_background_state *state = work->call->state;
  const uint32_t elements = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0), *levels = stage_keeps(work);
  float *output = stage_output(work);
  const int64_t since_us = elapsed_since(&state->elapsed, work->time_us, stage_gap_us(work, 0));
  const bool ready = state->learned_us >= parameters->least_us;
  if (!ready) {
    float32_fill_nothing(output, elements);
  }
  for (uint32_t i = 0; ready && i < elements; i++) {
    const float apart = values[i] - levels[i];
    output[i] = !parameters->mask ? apart : is_before(values[i], apart, parameters->threshold) ? 1.0F : 0.0F;
  }
  if ((stage_sample(work, 0)->flags & QUALITY_DOUBTFUL) == 0) {
    learn(work, ready, since_us);
  }
  return ready ? 0 : QUALITY_UNCALIBRATED;
}

static void reset(const struct work *work) {
  struct subtract_background_state *state = work->call->state;
  const uint32_t elements = stage_signal(work, 0)->elements;
  float *levels = stage_keeps(work);
  *state = (struct subtract_background_state){0};
  float32_fill_nothing(levels, elements);
  memset(levels + elements, 0, elements * sizeof(uint16_t));
}

const struct stage subtract_background_stage = {
    .name = "subtract_background", .kind = STAGE_RECURSIVE, .lasting = true, .go_on = go_on, .reset = reset};
