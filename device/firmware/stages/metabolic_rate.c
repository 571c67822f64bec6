/* float32, in the order of the terms. */
#include "metabolic_rate.h"

#include "float32.h"
#include "quality.h"

enum { RATE, RESTING, WEARER };
enum { AGE, WEIGHT, HEIGHT, MALE, KNOWN };

static uint16_t apply(const struct work *work) {
  const struct metabolic_rate_parameters *parameters = work->call->parameters;
  const float rate = stage_input(work, RATE)[0];
  const float resting = stage_input(work, RESTING)[0];
  const float *wearer = stage_input(work, WEARER);
  float *output = stage_output(work);
  bool known = true;
  for (int i = 0; i < KNOWN; i++) {
    known = float32_is_finite(wearer[i]) && known;
  }
  const float span = parameters->max_rate[0] + parameters->max_rate[1] * wearer[AGE] - resting;
  const float reserve = (rate - resting) / span;
  const float share = reserve < 0.0F ? 0.0F : reserve > 1.0F ? 1.0F : reserve;
  const float *uptake = parameters->uptake;
  const float most = uptake[0] + uptake[1] * wearer[AGE] + uptake[2] * wearer[WEIGHT] + uptake[3] * wearer[HEIGHT] +
                     uptake[4] * wearer[MALE];
  const float beyond = most - parameters->rest;
  const float spent = parameters->watts * (parameters->rest + share * (beyond > 0.0F ? beyond : 0.0F));
  const float said = parameters->whole ? spent * wearer[WEIGHT] : spent;
  const bool spans = span >= parameters->least_span;
  output[0] = known && spans && float32_is_finite(rate) && float32_is_finite(said) ? said : float32_nothing();
  return (uint16_t)((known ? 0 : QUALITY_MISSING) | (span < parameters->least_span ? QUALITY_OUT_OF_DOMAIN : 0));
}

const struct stage metabolic_rate_stage = {.name = "metabolic_rate", .kind = STAGE_ELEMENTWISE, .apply = apply};
