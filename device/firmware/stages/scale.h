/* scale: a sample times a factor, less an offset. */
#ifndef STAGES_SCALE_H
#define STAGES_SCALE_H

#include "stage.h"

struct scale_parameters {
  float offset; /* taken away first */
  float factor;
};

extern const struct stage scale_stage;

#endif
