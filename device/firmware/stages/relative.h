/* relative: numbers in proportion to how large they may be by chance. */
#ifndef STAGES_RELATIVE_H
#define STAGES_RELATIVE_H

#include <stdint.h>

#include "stage.h"

struct relative_parameters {
  const float *shares; /* of what goes with a number */
  uint16_t count;      /* how many */
  float floor;
};

extern const struct stage relative_stage;

#endif
