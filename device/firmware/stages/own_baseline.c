/* float32 as thermo_core.stages.own_baseline has it, operation by operation. */
#include "own_baseline.h"

#include <math.h>

#include "float32.h"
#include "quality.h"

#define TO_DEVIATION 1.2533141F
#define FAR 3.0F
#define EARLY 8

struct kept {
  struct learned *head;
  float *centres, *apart;
  uint32_t elements;
};

static struct kept kept_of(const struct work *work) {
  struct learned *head = stage_keeps(work);
  float *centres = (float *)(void *)(head + 1);
  const uint32_t elements = stage_signal(work, 0)->elements;
  return (struct kept){head, centres, centres + elements, elements};
}

static float bounded(float value, float most) {
  return value > most ? most : value < -most ? -most : value;
}

static float spread_of(const struct own_baseline_parameters *parameters, float apart) {
  const float spread = apart * TO_DEVIATION;
  return spread > parameters->least_spread ? spread : parameters->least_spread;
}

static void learn_number(const struct own_baseline_parameters *parameters, float *centre, float *apart, float x,
                         float weight, bool early) {
  if (!float32_is_finite(x)) {
    return;
  }
  if (float32_is_nothing(*centre)) {
    *centre = x;
    return;
  }
  float pull = x - *centre;
  if (!early) {
    pull = bounded(pull, FAR * spread_of(parameters, *apart));
  }
  const float moved = *centre + weight * pull;
  const float spread = *apart + weight * (fabsf(pull) - *apart);
  if (float32_is_finite(moved) && float32_is_finite(spread)) {
    *centre = moved;
    *apart = spread;
  }
}

static void count_ready(const struct work *work, const struct kept *kept) {
  const struct own_baseline_parameters *parameters = work->call->parameters;
  kept->head->ready = kept->head->learned_us >= parameters->learn_us ? 1 : 0;
}

static void learn(const struct work *work, const struct kept *kept, int64_t since_us) {
  const struct own_baseline_parameters *parameters = work->call->parameters;
  struct own_baseline_state *state = work->call->state;
  const float *values = stage_input(work, 0);
  const int64_t learned_us = kept->head->learned_us;
  const int64_t next_us = learned_us + since_us;
  const int64_t most_us = next_us < parameters->memory_us ? next_us : parameters->memory_us;
  const float share = most_us != 0 ? float32_of_signed(since_us) / float32_of_signed(most_us) : 0.0F;
  const float weight = share < 1.0F ? share : 1.0F;
  const bool early = learned_us < parameters->learn_us / EARLY;
  for (uint32_t i = 0; i < kept->elements; i++) {
    learn_number(parameters, &kept->centres[i], &kept->apart[i], values[i], weight, early);
  }
  learner_count(&state->clock, kept->head, work->time_us, since_us);
  count_ready(work, kept);
}

static uint16_t go_on(const struct work *work) {
  const struct own_baseline_parameters *parameters = work->call->parameters;
  struct own_baseline_state *state = work->call->state;
  const struct kept kept = kept_of(work);
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  const uint16_t trust = stage_sample(work, 0)->flags;
  const int64_t since_us = elapsed_since(&state->clock.elapsed, work->time_us, stage_gap_us(work, 0));
  const bool ready = kept.head->ready > 0;
  float32_fill_nothing(output, kept.elements);
  for (uint32_t i = 0; ready && i < kept.elements; i++) {
    output[i] = bounded((values[i] - kept.centres[i]) / spread_of(parameters, kept.apart[i]), parameters->limit);
  }
  if ((trust & QUALITY_DOUBTFUL) == 0 && float32_any_finite(values, kept.elements)) {
    learn(work, &kept, since_us);
  }
  return ready ? 0 : QUALITY_UNCALIBRATED;
}

static void reset(const struct work *work) {
  struct own_baseline_state *state = work->call->state;
  elapsed_interrupt(&state->clock.elapsed);
}

static void forget(const struct work *work) {
  struct own_baseline_state *state = work->call->state;
  const struct kept kept = kept_of(work);
  *state = (struct own_baseline_state){0};
  *kept.head = (struct learned){.parts = 1};
  float32_fill_nothing(kept.centres, kept.elements);
  for (uint32_t i = 0; i < kept.elements; i++) {
    kept.apart[i] = 0.0F;
  }
}

static bool is_sound(const struct work *work) {
  const struct kept kept = kept_of(work);
  for (uint32_t i = 0; i < kept.elements; i++) {
    kept.centres[i] = float32_is_finite(kept.centres[i]) ? kept.centres[i] : float32_nothing();
    kept.apart[i] = float32_is_finite(kept.apart[i]) && kept.apart[i] >= 0.0F ? kept.apart[i] : 0.0F;
  }
  const bool sound = learner_is_sound(kept.head, 1);
  count_ready(work, &kept);
  return sound;
}

const struct stage own_baseline_stage = {.name = "own_baseline",
                                         .kind = STAGE_RECURSIVE,
                                         .lasting = true,
                                         .go_on = go_on,
                                         .reset = reset,
                                         .forget = forget,
                                         .is_sound = is_sound};
