/* As thermo_core.contract quantises, but that infinities saturate, and graph/runners.py runs models. */
#include "network.h"

#include <stddef.h>

#include "board.h"
#include "float32.h"
#include "quality.h"

/* Steps are clamped as bits, which are in order: what rounding leaves of numbers beyond 2^22 is beyond int8 too. */
bool network_quantise(const struct network_end *end, const float *values, uint32_t count, int8_t *quantised) {
  const float scale = end->scale;
  const int32_t lowest = FLOAT32_ROUNDER_BITS + INT8_MIN - end->zero_point;
  for (uint32_t i = 0; i < count; i++) {
    const int32_t bits = float32_bits(values[i] / scale + FLOAT32_ROUNDER);
    uint32_t steps = (uint32_t)bits - (uint32_t)lowest;
    if (steps > UINT8_MAX) {
      if (float32_is_nothing(values[i])) {
        return false;
      }
      steps = bits < lowest ? 0 : UINT8_MAX;
    }
    quantised[i] = (int8_t)((int32_t)steps + INT8_MIN);
  }
  return true;
}

static bool quantise_inputs(const struct work *work, const struct network *network) {
  for (uint32_t i = 0; i < work->call->input_count; i++) {
    if (!network_quantise(&network->input_ends[i], stage_input(work, i), stage_signal(work, i)->elements,
                          network->inputs[i]())) {
      return false;
    }
  }
  return true;
}

static uint16_t apply(const struct work *work) {
  const struct network *network = work->call->parameters;
  const uint32_t count = work->signals[work->call->output].elements;
  float *output = stage_output(work);
  if (!quantise_inputs(work, network)) {
    float32_fill_nothing(output, count);
    return QUALITY_MISSING;
  }
  const uint64_t began_us = work->board != NULL ? board_now_us(work->board) : 0;
  network->invoke();
  if (work->board != NULL) {
    *network->took_us = (uint32_t)(board_now_us(work->board) - began_us);
  }
  const int8_t *said = network->output();
  const int32_t zero = network->output_end.zero_point;
  for (uint32_t i = 0; i < count; i++) {
    output[i] = (float)(said[i] - zero) * network->output_end.scale;
  }
  return 0;
}

const struct stage network_stage = {.name = "model", .kind = STAGE_ELEMENTWISE, .apply = apply};
