/* float32; step = x * seconds * factor; Kahan's sum, in which small steps are not lost beside a large one. */
#include "integral.h"

#include "float32.h"
#include "quality.h"

static bool add(float step, float *sum, float *rest) {
  const float wanted = step + *rest;
  const float before = float32_is_nothing(*sum) ? 0.0F : *sum;
  const float added = before + wanted;
  if (!float32_is_finite(added)) {
    return false;
  }
  *rest = wanted - (added - before);
  *sum = added;
  return true;
}

static uint16_t go_on(const struct work *work) {
  const struct integral_parameters *parameters = work->call->parameters;
  struct integral_state *state = work->call->state;
  const uint32_t count = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0);
  float *sums = stage_keeps(work);
  float *rests = sums + count;
  float *output = stage_output(work);
  const float seconds = float32_of_signed(elapsed_since(&state->elapsed, work->time_us, stage_gap_us(work, 0))) * 1e-6F;
  const bool trusted = (stage_sample(work, 0)->flags & QUALITY_DOUBTFUL) == 0;
  bool whole = trusted;
  for (uint32_t i = 0; i < count; i++) {
    if (trusted) {
      whole = add(values[i] * seconds * parameters->factor, &sums[i], &rests[i]) && whole;
    }
    output[i] = sums[i];
  }
  return whole ? 0 : QUALITY_FILLED;
}

static void reset(const struct work *work) {
  const uint32_t count = stage_signal(work, 0)->elements;
  struct integral_state *state = work->call->state;
  float *sums = stage_keeps(work);
  *state = (struct integral_state){0};
  float32_fill_nothing(sums, count);
  for (uint32_t i = 0; i < count; i++) {
    sums[count + i] = 0.0F;
  }
}

const struct stage integral_stage = {
    .name = "integral", .kind = STAGE_RECURSIVE, .lasting = true, .go_on = go_on, .reset = reset};
