/* logarithm: numbers that spread over decades, evenly. */
#ifndef STAGES_LOGARITHM_H
#define STAGES_LOGARITHM_H

#include "stage.h"

struct logarithm_parameters {
  float offset; /* added first */
};

extern const struct stage logarithm_stage;

#endif
