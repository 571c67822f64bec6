/* Copies; float32 differences to each of the samples before; times are counted in samples. */
#include "contact_gate.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "float32.h"
#include "quality.h"

/* Whether a number is a step away from one of those before it. */
static bool moved(const struct contact_gate_parameters *parameters, const float *column, uint32_t stride, float x) {
  for (uint32_t row = 0; row < parameters->behind; row++) {
    if (fabsf(x - column[(size_t)row * stride]) > parameters->step) {
      return true;
    }
  }
  return false;
}

static uint16_t go_on(const struct work *work) {
  const struct contact_gate_parameters *parameters = work->call->parameters;
  struct contact_gate_state *state = work->call->state;
  const uint32_t elements = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0);
  float *rows = stage_keeps(work);
  uint32_t *left = (uint32_t *)(void *)(rows + (size_t)parameters->behind * elements);
  float *output = stage_output(work);
  uint16_t flags = 0;
  for (uint32_t i = 0; i < elements; i++) {
    const float x = float32_is_finite(values[i]) ? values[i] : float32_nothing();
    if (moved(parameters, rows + i, elements, x)) {
      left[i] = parameters->held;
    }
    rows[(size_t)state->next * elements + i] = x;
    output[i] = left[i] > 0 ? float32_nothing() : x;
    if (left[i] > 0) {
      left[i]--;
      flags = QUALITY_MOVING;
    }
  }
  state->next = (uint16_t)(state->next + 1U == parameters->behind ? 0 : state->next + 1U);
  return flags;
}

static void reset(const struct work *work) {
  const struct contact_gate_parameters *parameters = work->call->parameters;
  struct contact_gate_state *state = work->call->state;
  const uint32_t elements = stage_signal(work, 0)->elements;
  float *rows = stage_keeps(work);
  *state = (struct contact_gate_state){0};
  float32_fill_nothing(rows, parameters->behind * elements);
  memset(rows + (size_t)parameters->behind * elements, 0, elements * sizeof(uint32_t));
}

const struct stage contact_gate_stage = {
    .name = "contact_gate", .kind = STAGE_RECURSIVE, .go_on = go_on, .reset = reset};
