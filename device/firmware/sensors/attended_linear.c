/* The beginning and the tail that such drivers share. */
#include "attended_linear.h"

void attended_linear_init(const struct sensor *sensor, const struct sensor_context *context,
                          struct attended_plan *plan) {
  struct attended_linear *state = sensor->state;
  plan->period_us = (uint32_t)(1e6F / plan->rate_hz);
  plan->slack_us = plan->period_us / 2U;
  attended_init(sensor, context, plan);
  state->correction.known = false;
  repeats_begin(&state->repeats, plan->most_equal);
}

static size_t lines_of(const struct sensor *sensor) {
  return sensor->driver->correction_bytes / CORRECTION_LINE_BYTES;
}

bool attended_linear_possible(const struct sensor *sensor, const struct correction *correction) {
  return linear_correction_is_possible(correction, lines_of(sensor));
}

void attended_linear_correct(const struct sensor *sensor, const struct correction *correction) {
  struct attended_linear *state = sensor->state;
  linear_correction_use(&state->correction, correction, lines_of(sensor));
  state->repeats.count = 0;
}

bool attended_linear_corrected(const struct sensor *sensor) {
  const struct attended_linear *state = sensor->state;
  return linear_correction_changes(&state->correction, lines_of(sensor));
}
