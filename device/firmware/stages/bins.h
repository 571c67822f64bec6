/* bins: a recovery curve as a few weighed means. */
#ifndef STAGES_BINS_H
#define STAGES_BINS_H

#include <stdint.h>

#include "stage.h"

struct bins_parameters {
  const uint16_t *edges; /* borders in samples, one more than there are bins */
  const float *weights;  /* of each bin: 1 / root of its samples */
  uint16_t bins;
  uint16_t settled; /* samples at the end whose mean is the asymptote; 0 takes the curve as it is */
};

extern const struct stage bins_stage;

#endif
