/* Dequantised outputs as scores of labels. */
#include "scores.h"

#include <math.h>

void scores_of(const struct profile *profile, const int8_t *output, struct scores *scores) {
  const struct model_profile *model = profile->model;
  const uint8_t first = profile->label_count > model->output_count ? 1 : 0;
  uint8_t best = 0;
  for (uint8_t i = 0; i < model->output_count; i++) {
    const float value = model->output_scale * (float)(output[i] - model->output_zero_point);
    scores->values[first + i] = fminf(fmaxf(value, 0.0F), 1.0F);
    best = output[i] > output[best] ? i : best;
  }
  scores->label = (uint8_t)(first + best);
  if (first == 1) {
    const float most = scores->values[1 + best];
    scores->values[0] = 1.0F - most;
    scores->label = scores->values[0] >= most ? 0 : scores->label;
  }
}

uint16_t scores_on_wire(float score) {
  return (uint16_t)lrintf(65535.0F * score);
}
