/* Clipped. For the flag: no value to 0; products as projection has them; squares of products, of products over spread
   and of elements are summed each in their order, all float32. */
#include "domain.h"

#include <stddef.h>

#include "float32.h"
#include "quality.h"

/* Whether a sample lies near enough to what was learnt from, by its distances along and across the axes. */
static bool is_near(const struct domain_parameters *parameters, const float *values, uint32_t count) {
  float whole = 0.0F;
  for (uint32_t i = 0; i < count; i++) {
    const float value = float32_is_nothing(values[i]) ? 0.0F : values[i];
    whole += value * value;
  }
  float along = 0.0F;
  float spanned = 0.0F;
  for (uint32_t axis = 0; axis < parameters->count; axis++) {
    const float *numbers = parameters->axes + (size_t)axis * count;
    float product = 0.0F;
    for (uint32_t i = 0; i < count; i++) {
      product += (float32_is_nothing(values[i]) ? 0.0F : values[i]) * numbers[i];
    }
    const float scaled = product / parameters->spread[axis];
    along += scaled * scaled;
    spanned += product * product;
  }
  /* What overflows lies far too, and is no number. */
  return along <= parameters->along * parameters->along && whole - spanned <= parameters->across * parameters->across;
}

static uint16_t apply(const struct work *work) {
  const struct domain_parameters *parameters = work->call->parameters;
  const uint32_t count = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  uint16_t flags = is_near(parameters, values, count) ? 0 : QUALITY_OUT_OF_DOMAIN;
  for (uint32_t i = 0; i < count; i++) {
    const float low = parameters->low[parameters->one_low ? 0 : i];
    const float high = parameters->high[parameters->one_high ? 0 : i];
    const float value = values[i];
    if (value < low || value > high) {
      flags = QUALITY_OUT_OF_DOMAIN;
    }
    output[i] = value < low ? low : value > high ? high : value;
  }
  return flags;
}

const struct stage domain_stage = {.name = "domain", .kind = STAGE_ELEMENTWISE, .apply = apply};
