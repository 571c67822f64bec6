/* As thermo_core.contract quantises, but that infinities saturate, and graph/runners.py runs models. */
#include "network.h"

#include <stddef.h>

#include "board.h"
#include "float32.h"
#include "multiply_high.h"
#include "quality.h"

#define REST_BITS 16
#define UNSURE 8U /* of 2^16: what quotients below 256 are off, rounded or not */

/* A scale as a reciprocal: x / scale is mantissa(x) / 2^23 times `per_scale` / 2^32, times 2 to the difference of
 * exponents. */
struct reciprocal {
  uint32_t per_scale;
  int32_t exponent;
};

static struct reciprocal reciprocal_of(float scale) {
  const uint32_t bits = (uint32_t)float32_bits(scale);
  const uint32_t mantissa = (bits & 0x007FFFFFU) | 0x00800000U;
  const uint64_t per_scale = (1ULL << 55) / mantissa;
  return (struct reciprocal){.per_scale = per_scale > UINT32_MAX ? UINT32_MAX : (uint32_t)per_scale,
                             .exponent = (int32_t)(bits >> 23)};
}

/* x / scale rounded half to even, in whole numbers: beyond +-255 where that is. False where the rounding of the
   quotient itself may decide. */
static inline bool whole_steps(int32_t bits, struct reciprocal reciprocal, int32_t *steps) {
  const int32_t above = (bits >> 23 & 0xFF) - reciprocal.exponent;
  uint32_t whole = 256U;
  if (above < -1) {
    whole = 0;
  } else if (above < 9) {
    const uint32_t mantissa = (uint32_t)bits << 8 | 0x80000000U;
    const uint32_t quotient = multiply_high(mantissa, reciprocal.per_scale) >> (31 - REST_BITS - above);
    const uint32_t risen = quotient + (1U << (REST_BITS - 1));
    if (((risen + UNSURE) & ((1U << REST_BITS) - 1U)) < 2U * UNSURE) {
      return false;
    }
    whole = risen >> REST_BITS;
  }
  *steps = bits < 0 ? -(int32_t)whole : (int32_t)whole;
  return true;
}

static bool quantise_whole(const struct network_end *end, const float *values, uint32_t count, int8_t *quantised) {
  const struct reciprocal reciprocal = reciprocal_of(end->scale);
  for (uint32_t i = 0; i < count; i++) {
    const float value = values[i];
    if (float32_is_nothing(value)) {
      return false;
    }
    int32_t steps;
    if (!whole_steps(float32_bits(value), reciprocal, &steps)) {
      steps = float32_round(value / end->scale);
    }
    steps += end->zero_point;
    quantised[i] = (int8_t)(steps < INT8_MIN ? INT8_MIN : steps > INT8_MAX ? INT8_MAX : steps);
  }
  return true;
}

/* Steps are clamped as bits, which are in order: what rounding leaves of numbers beyond 2^22 is beyond int8 too. */
bool network_quantise(const struct network_end *end, const float *values, uint32_t count, int8_t *quantised) {
  if (FLOAT32_SOFT && float32_is_normal(end->scale)) {
    return quantise_whole(end, values, count, quantised);
  }
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

/* An end of the container's network; NULL where the compiled one runs. */
static const struct container_end *given_end(const struct network *network, uint32_t number) {
  const struct network_given *given = network->given;
  return given != NULL && given->container != NULL ? container_end(given->container, given->number, number) : NULL;
}

int8_t *network_input(const struct network *network, uint32_t number) {
  const struct container_end *end = given_end(network, number);
  return end != NULL ? (int8_t *)network->place.arena + end->at : network->inputs[number]();
}

const int8_t *network_output(const struct network *network) {
  const struct container_end *end = given_end(network, network->place.input_count);
  return end != NULL ? (const int8_t *)network->place.arena + end->at : network->output();
}

void network_invoke(const struct network *network) {
  const struct network_given *given = network->given;
  if (given != NULL && given->container != NULL) {
    container_invoke(given->container, given->number, network->place.arena);
  } else {
    network->invoke();
  }
}

/* What the numbers of an input (or, behind the last one, of the output) mean. */
static struct network_end end_of(const struct network *network, uint32_t number) {
  const struct container_end *end = given_end(network, number);
  if (end != NULL) {
    return (struct network_end){end->scale, (int8_t)end->zero_point};
  }
  return number < network->place.input_count ? network->input_ends[number] : network->output_end;
}

static bool quantise_inputs(const struct work *work, const struct network *network) {
  for (uint32_t i = 0; i < work->call->input_count; i++) {
    const struct network_end end = end_of(network, i);
    if (!network_quantise(&end, stage_input(work, i), stage_signal(work, i)->elements, network_input(network, i))) {
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
  network_invoke(network);
  if (work->board != NULL) {
    *network->took_us = (uint32_t)(board_now_us(work->board) - began_us);
  }
  const int8_t *said = network_output(network);
  const struct network_end end = end_of(network, work->call->input_count);
  const int32_t zero = end.zero_point;
  for (uint32_t i = 0; i < count; i++) {
    output[i] = (float)(said[i] - zero) * end.scale;
  }
  return 0;
}

const struct stage network_stage = {.name = "model", .kind = STAGE_ELEMENTWISE, .apply = apply};
