/* float32; the asymptote is a mean in the order of samples; sums of bins in the order of samples, times their weight.
 */
#include "bins.h"

#include "float32.h"

static float finite_or_nothing(float value) {
  return float32_is_finite(value) ? value : float32_nothing();
}

static uint16_t apply(const struct work *work) {
  const struct bins_parameters *parameters = work->call->parameters;
  const uint16_t *edges = parameters->edges;
  const uint32_t bins = work->signals[work->call->output].elements;
  const uint32_t samples = stage_signal(work, 0)->elements;
  const float *curve = stage_input(work, 0);
  float *output = stage_output(work);
  if (parameters->settled == 0) {
    for (uint32_t bin = 0; bin < bins; bin++) {
      output[bin] =
          float32_total(curve + edges[bin], (uint32_t)(edges[bin + 1U] - edges[bin]), 1) * parameters->weights[bin];
    }
    return 0;
  }
  const float asymptote = float32_mean(curve + samples - parameters->settled, parameters->settled, 1);
  const float span = curve[0] - asymptote;
  for (uint32_t bin = 0; bin < bins; bin++) {
    float sum = 0.0F;
    for (uint32_t i = edges[bin]; i < edges[bin + 1U]; i++) {
      sum += finite_or_nothing((curve[i] - asymptote) / span);
    }
    output[bin] = sum * parameters->weights[bin];
  }
  return 0;
}

const struct stage bins_stage = {.name = "bins", .kind = STAGE_ELEMENTWISE, .apply = apply};
