/* Copies. */
#include "forward_fill.h"

#include <stddef.h>

#include "float32.h"
#include "quality.h"

static uint16_t go_on(const struct work *work) {
  const struct forward_fill_parameters *parameters = work->call->parameters;
  const uint32_t count = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0);
  int64_t *since_us = stage_keeps(work);
  float *last = (float *)(void *)(since_us + count);
  float *output = stage_output(work);
  uint16_t flags = 0;
  for (uint32_t i = 0; i < count; i++) {
    output[i] = values[i];
    if (!float32_is_nothing(values[i])) {
      last[i] = values[i];
      since_us[i] = work->time_us;
    } else if (!float32_is_nothing(last[i]) && work->time_us - since_us[i] <= parameters->oldest_us) {
      output[i] = last[i];
      flags = QUALITY_FILLED;
    }
  }
  return flags;
}

static void reset(const struct work *work) {
  const uint32_t count = stage_signal(work, 0)->elements;
  int64_t *since_us = stage_keeps(work);
  for (uint32_t i = 0; i < count; i++) {
    since_us[i] = 0;
  }
  float32_fill_nothing((float *)(void *)(since_us + count), count);
}

const struct stage forward_fill_stage = {
    .name = "forward_fill", .kind = STAGE_RECURSIVE, .go_on = go_on, .reset = reset};
