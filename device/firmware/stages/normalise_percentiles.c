/* The nearest element below a percentile; two float32 subtractions and one division an element. */
#include "normalise_percentiles.h"

#include "float32.h"

static float percentile_of(const struct order *order, uint32_t percent, struct order_scratch *scratch) {
  float next;
  return order_find(order, (order->known - 1U) * percent / 100U, scratch, &next);
}

static uint16_t apply(const struct work *work) {
  const struct normalise_percentiles_parameters *parameters = work->call->parameters;
  const uint32_t count = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  struct order_scratch *scratch = stage_scratch(work);
  const struct order order = order_of(values, count, 1);
  if (order.known == 0) {
    float32_fill_nothing(output, count);
    return 0;
  }
  const float low = percentile_of(&order, parameters->low, scratch);
  const float apart = percentile_of(&order, parameters->high, scratch) - low;
  const float range = apart > parameters->least ? apart : parameters->least;
  for (uint32_t i = 0; i < count; i++) {
    const float share = (values[i] - low) / range;
    output[i] = share > 1.0F ? 1.0F : share <= 0.0F ? 0.0F : share;
  }
  return 0;
}

const struct stage normalise_percentiles_stage = {
    .name = "normalise_percentiles", .kind = STAGE_ELEMENTWISE, .apply = apply};
