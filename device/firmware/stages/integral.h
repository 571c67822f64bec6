/* integral: what a rate has come to since the start. */
#ifndef STAGES_INTEGRAL_H
#define STAGES_INTEGRAL_H

#include "elapsed.h"
#include "stage.h"

struct integral_parameters {
  float factor; /* multiplied by */
};

struct integral_state {
  struct elapsed elapsed;
};

/* Keeps for each element the sum, then for each what rounding left out of it. */
extern const struct stage integral_stage;

#endif
