/* mean: float32 sum in the order of samples over float32 of their number, of elements with a value; last: copies. */
#include "resample.h"

#include <stddef.h>
#include <string.h>

#include "float32.h"

/* Where it keeps what. */
struct kept {
  struct resample_step *steps;
  float *waiting; /* values of the steps */
  float *now;     /* sums, or the last values */
  uint32_t *counts;
  uint32_t elements;
};

static struct kept kept_of(const struct work *work) {
  const struct resample_parameters *parameters = work->call->parameters;
  const uint32_t elements = stage_signal(work, 0)->elements;
  struct resample_step *steps = stage_keeps(work);
  float *waiting = (float *)(void *)(steps + parameters->room);
  float *now = waiting + (size_t)parameters->room * elements;
  return (struct kept){.steps = steps,
                       .waiting = waiting,
                       .now = now,
                       .counts = (uint32_t *)(void *)(now + elements),
                       .elements = elements};
}

static int64_t step_of(int64_t time_us, int64_t period_us) {
  return time_us >= 0 ? time_us / period_us : -((period_us - 1 - time_us) / period_us);
}

static void begin(const struct work *work) {
  const struct resample_parameters *parameters = work->call->parameters;
  struct resample_state *state = work->call->state;
  const struct kept kept = kept_of(work);
  state->begun = false;
  state->flags = 0;
  if (!parameters->last) {
    memset(kept.now, 0, kept.elements * sizeof kept.now[0]);
    memset(kept.counts, 0, kept.elements * sizeof kept.counts[0]);
  }
}

static void add(const struct work *work) {
  const struct resample_parameters *parameters = work->call->parameters;
  struct resample_state *state = work->call->state;
  const struct kept kept = kept_of(work);
  const float *values = stage_input(work, 0);
  state->begun = true;
  state->flags |= stage_sample(work, 0)->flags;
  if (parameters->last) {
    memcpy(kept.now, values, kept.elements * sizeof values[0]);
    return;
  }
  for (uint32_t i = 0; i < kept.elements; i++) {
    if (!float32_is_nothing(values[i])) {
      kept.now[i] += values[i];
      kept.counts[i]++;
    }
  }
}

/* The step at hand is over; with `last`, it stands in for `more` after it. */
static void close(const struct work *work, uint32_t more) {
  const struct resample_parameters *parameters = work->call->parameters;
  struct resample_state *state = work->call->state;
  const struct kept kept = kept_of(work);
  if (state->waiting == parameters->room) {
    return; /* cannot be: the room is planned */
  }
  const uint32_t place = ((uint32_t)state->first + state->waiting) % parameters->room;
  state->waiting++;
  kept.steps[place] = (struct resample_step){
      .time_us = (state->step + 1) * parameters->period_us, .more = more, .flags = state->flags, .fresh = state->fresh};
  state->fresh = false;
  float *values = kept.waiting + (size_t)place * kept.elements;
  if (parameters->last) {
    memcpy(values, kept.now, kept.elements * sizeof values[0]);
    return;
  }
  for (uint32_t i = 0; i < kept.elements; i++) {
    values[i] = kept.now[i] / (float)kept.counts[i];
  }
}

static void take(const struct work *work) {
  const struct resample_parameters *parameters = work->call->parameters;
  struct resample_state *state = work->call->state;
  const int64_t step = step_of(work->time_us, parameters->period_us);
  const int64_t own_us = stage_gap_us(work, 0);
  const int64_t gap_us = own_us > parameters->least_gap_us ? own_us : parameters->least_gap_us;
  if (stage_sample(work, 0)->fresh || (state->begun && work->time_us - state->newest_us > gap_us)) {
    begin(work);
    state->fresh = true;
  }
  if (state->begun && step != state->step) {
    close(work, parameters->last && step > state->step ? (uint32_t)(step - state->step - 1) : 0);
    begin(work);
  }
  state->step = step;
  state->newest_us = work->time_us;
  add(work);
}

static bool waits(const struct work *work, int64_t *time_us) {
  const struct resample_state *state = work->call->state;
  if (state->waiting == 0) {
    return false;
  }
  *time_us = kept_of(work).steps[state->first].time_us;
  return true;
}

static void give(const struct work *work, struct sample *output) {
  const struct resample_parameters *parameters = work->call->parameters;
  struct resample_state *state = work->call->state;
  const struct kept kept = kept_of(work);
  struct resample_step *step = &kept.steps[state->first];
  output->flags = step->flags;
  output->fresh = step->fresh;
  memcpy(stage_output(work), kept.waiting + (size_t)state->first * kept.elements, kept.elements * sizeof(float));
  step->fresh = false;
  step->time_us += parameters->period_us;
  if (step->more > 0) {
    step->more--;
    return;
  }
  state->first = (uint16_t)(state->first + 1U == parameters->room ? 0 : state->first + 1U);
  state->waiting--;
}

static void reset(const struct work *work) {
  struct resample_state *state = work->call->state;
  *state = (struct resample_state){.begun = false};
  begin(work);
}

const struct stage resample_stage = {
    .name = "resample", .kind = STAGE_REGRIDDED, .take = take, .waits = waits, .give = give, .reset = reset};
