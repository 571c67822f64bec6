/* float32; times are whole milliseconds before the newest sample; sum of (t - mean t)(x - mean x) over sum of
   (t - mean t)^2, all sums from the oldest sample to the newest, times the milliseconds of the unit. */
#include "slope.h"

#include <stddef.h>
#include <string.h>

#include "float32.h"

/* One element's numbers, in a ring with their times. */
struct ring {
  const int64_t *times_ms;
  const float *values;
  uint32_t stride;
  uint32_t oldest;
  uint32_t count;
  uint32_t length;
  int64_t now_ms;
  uint32_t span_ms;
};

/* A number of the ring that counts, and its time before the newest. */
struct point {
  float t, x;
};

static bool point_of(const struct ring *ring, uint32_t number, struct point *point) {
  const uint32_t behind = ring->oldest + number;
  const uint32_t place = behind < ring->length ? behind : behind - ring->length;
  const int64_t age_ms = ring->now_ms - ring->times_ms[place];
  point->t = -float32_of_signed(age_ms);
  point->x = ring->values[(size_t)place * ring->stride];
  return float32_is_finite(point->x) && age_ms <= (int64_t)ring->span_ms;
}

static float slope_of(const struct ring *ring, float factor) {
  struct point point;
  uint32_t known = 0;
  float sum_t = 0.0F;
  float sum_x = 0.0F;
  for (uint32_t i = 0; i < ring->count; i++) {
    if (point_of(ring, i, &point)) {
      sum_t += point.t;
      sum_x += point.x;
      known++;
    }
  }
  if (known < 2U || 2U * known < ring->length) {
    return float32_nothing();
  }
  const float mean_t = sum_t / (float)known;
  const float mean_x = sum_x / (float)known;
  float products = 0.0F;
  float squares = 0.0F;
  for (uint32_t i = 0; i < ring->count; i++) {
    if (point_of(ring, i, &point)) {
      const float apart = point.t - mean_t;
      products += apart * (point.x - mean_x);
      squares += apart * apart;
    }
  }
  const float slope = products / squares * factor;
  return float32_is_finite(slope) ? slope : float32_nothing();
}

/* Rounded down. */
static int64_t milliseconds(int64_t time_us) {
  return time_us >= 0 ? time_us / 1000 : -((999 - time_us) / 1000);
}

static uint16_t go_on(const struct work *work) {
  const struct slope_parameters *parameters = work->call->parameters;
  struct slope_state *state = work->call->state;
  const uint32_t elements = stage_signal(work, 0)->elements;
  int64_t *times_ms = stage_keeps(work);
  float *rows = (float *)(void *)(times_ms + parameters->length);
  times_ms[state->next] = milliseconds(work->time_us);
  memcpy(rows + (size_t)state->next * elements, stage_input(work, 0), elements * sizeof rows[0]);
  struct ring ring = {.times_ms = times_ms,
                      .stride = elements,
                      .length = parameters->length,
                      .now_ms = times_ms[state->next],
                      .span_ms = parameters->span_ms};
  state->next = (uint16_t)(state->next + 1U == parameters->length ? 0 : state->next + 1U);
  state->count = (uint16_t)(state->count < parameters->length ? state->count + 1U : state->count);
  ring.count = state->count;
  ring.oldest = state->count < parameters->length ? 0 : state->next;
  float *output = stage_output(work);
  for (uint32_t i = 0; i < elements; i++) {
    ring.values = rows + i;
    output[i] = slope_of(&ring, parameters->factor);
  }
  return 0;
}

static void reset(const struct work *work) {
  struct slope_state *state = work->call->state;
  *state = (struct slope_state){0};
}

const struct stage slope_stage = {.name = "slope", .kind = STAGE_RECURSIVE, .go_on = go_on, .reset = reset};
