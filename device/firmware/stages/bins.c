/* float32; the asymptote is a mean in the order of samples; sums of bins in the order of samples, times their weight.
 */
#include "bins.h"

#include <stddef.h>

#include "float32.h"

static float finite_or_nothing(float value) {
  return float32_is_finite(value) ? value : float32_nothing();
}

/* One column of a window, whose samples are `stride` apart. */
static void weigh(const struct bins_parameters *parameters, const float *curve, uint32_t stride, float *output) {
  const uint16_t *edges = parameters->edges;
  const uint32_t samples = edges[parameters->bins];
  if (parameters->settled == 0) {
    for (uint32_t bin = 0; bin < parameters->bins; bin++) {
      const uint32_t count = (uint32_t)(edges[bin + 1U] - edges[bin]);
      output[bin] = float32_total(curve + (size_t)edges[bin] * stride, count, stride) * parameters->weights[bin];
    }
    return;
  }
  const size_t end = (size_t)(samples - parameters->settled) * stride;
  const float asymptote = float32_mean(curve + end, parameters->settled, stride);
  const float span = curve[0] - asymptote;
  for (uint32_t bin = 0; bin < parameters->bins; bin++) {
    float sum = 0.0F;
    for (uint32_t i = edges[bin]; i < edges[bin + 1U]; i++) {
      sum += finite_or_nothing((curve[(size_t)i * stride] - asymptote) / span);
    }
    output[bin] = sum * parameters->weights[bin];
  }
}

static uint16_t apply(const struct work *work) {
  const struct bins_parameters *parameters = work->call->parameters;
  const uint32_t columns = work->signals[work->call->output].elements / parameters->bins;
  for (uint32_t column = 0; column < columns; column++) {
    weigh(parameters, stage_input(work, 0) + column, columns, stage_output(work) + (size_t)column * parameters->bins);
  }
  return 0;
}

const struct stage bins_stage = {.name = "bins", .kind = STAGE_ELEMENTWISE, .apply = apply};
