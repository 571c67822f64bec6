/* float32; level + w (x - level) with w = microseconds that the sample stands for over those learned. */
#include "reference.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "float32.h"
#include "quality.h"

#define GAP_PERIODS 4
#define NO_PART UINT32_MAX

enum { OF, AMBIENT };

/* Which part of the ambient is at hand; NO_PART where nobody knows. */
static uint32_t part_of(const struct work *work) {
  const struct reference_parameters *parameters = work->call->parameters;
  if (work->call->input_count == 1) {
    return 0;
  }
  const float ambient = stage_input(work, AMBIENT)[0];
  if (!float32_is_finite(ambient)) {
    return NO_PART;
  }
  const float last = (float)(parameters->bins - 1);
  const float place = (ambient - parameters->low) * parameters->parts;
  return (uint32_t)(place > 0.0F ? (place < last ? place : last) : 0.0F);
}

/* Microseconds that a sample stands for. */
static int64_t since(const struct work *work) {
  struct reference_state *state = work->call->state;
  const int64_t gap_us = stage_gap_us(work, OF);
  const int64_t since_us = state->begun ? work->time_us - state->newest_us : gap_us;
  *state = (struct reference_state){.newest_us = work->time_us, .begun = true};
  return since_us >= 0 && since_us < gap_us ? since_us : gap_us / GAP_PERIODS;
}

static float learned_of(float level, float x, float weight, float limit) {
  if (!float32_is_finite(x)) {
    return level;
  }
  if (float32_is_nothing(level)) {
    return x;
  }
  const float apart = x - level;
  const float moved = level + weight * apart;
  return (limit == 0.0F || fabsf(apart) <= limit) && float32_is_finite(moved) ? moved : level;
}

static bool any_finite(const float *values, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (float32_is_finite(values[i])) {
      return true;
    }
  }
  return false;
}

static void learn(const struct work *work, int64_t *learned_us, float *levels, int64_t since_us) {
  const struct reference_parameters *parameters = work->call->parameters;
  const uint32_t elements = stage_signal(work, OF)->elements;
  const float *values = stage_input(work, OF);
  if (!any_finite(values, elements)) {
    return;
  }
  *learned_us += since_us;
  const int64_t most_us = *learned_us < parameters->memory_us ? *learned_us : parameters->memory_us;
  const float share = most_us != 0 ? (float)since_us / (float)most_us : 0.0F;
  const float weight = share < 1.0F ? share : 1.0F;
  for (uint32_t i = 0; i < elements; i++) {
    levels[i] = learned_of(levels[i], values[i], weight, parameters->limit);
  }
}

static uint16_t go_on(const struct work *work) {
  const struct reference_parameters *parameters = work->call->parameters;
  const uint32_t elements = stage_signal(work, OF)->elements;
  const float *values = stage_input(work, OF);
  int64_t *learned_us = stage_keeps(work);
  float *output = stage_output(work);
  uint16_t trust = 0;
  for (uint32_t i = 0; i < work->call->input_count; i++) {
    trust |= stage_sample(work, i)->flags;
  }
  const int64_t since_us = since(work);
  const uint32_t part = part_of(work);
  float32_fill_nothing(output, elements + 1U);
  if (part == NO_PART) {
    return 0;
  }
  float *levels = (float *)(void *)(learned_us + parameters->bins) + (size_t)part * elements;
  const bool ready = learned_us[part] >= parameters->least_us;
  for (uint32_t i = 0; ready && i < elements; i++) {
    output[i] = values[i] - levels[i];
  }
  output[elements] = (float)(learned_us[part] / 1000000) / 3600.0F;
  if ((trust & QUALITY_DOUBTFUL) == 0) {
    learn(work, &learned_us[part], levels, since_us);
  }
  return ready ? 0 : QUALITY_UNCALIBRATED;
}

static void reset(const struct work *work) {
  const struct reference_parameters *parameters = work->call->parameters;
  struct reference_state *state = work->call->state;
  int64_t *learned_us = stage_keeps(work);
  *state = (struct reference_state){0};
  memset(learned_us, 0, parameters->bins * sizeof learned_us[0]);
  float32_fill_nothing((float *)(void *)(learned_us + parameters->bins),
                       parameters->bins * stage_signal(work, OF)->elements);
}

const struct stage reference_stage = {
    .name = "reference", .kind = STAGE_RECURSIVE, .lasting = true, .go_on = go_on, .reset = reset};
