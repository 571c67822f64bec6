/* median: (lower middle + upper middle) * 0.5 in float32; mean: float32 sum in the order of elements over float32 of
   their number; then one float32 subtraction an element. */
#include "centre.h"

#include "float32.h"

static float mean_of(const float *values, uint32_t count) {
  float sum = 0.0F;
  uint32_t known = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (!float32_is_nothing(values[i])) {
      sum += values[i];
      known++;
    }
  }
  return sum / (float)known;
}

static float median_of(const struct work *work, const float *values, uint32_t count) {
  const struct order order = order_of(values, count, 1);
  return order_median(&order, stage_scratch(work));
}

static uint16_t apply(const struct work *work) {
  const struct centre_parameters *parameters = work->call->parameters;
  const uint32_t count = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  const float middle = parameters->median ? median_of(work, values, count) : mean_of(values, count);
  for (uint32_t i = 0; i < count; i++) {
    output[i] = values[i] - middle;
  }
  return 0;
}

const struct stage centre_stage = {.name = "centre", .kind = STAGE_ELEMENTWISE, .apply = apply};
