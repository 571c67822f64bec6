/* normalise: numbers by what is usual of each. */
#ifndef STAGES_NORMALISE_H
#define STAGES_NORMALISE_H

#include <stdbool.h>

#include "stage.h"

struct normalise_parameters {
  const float *centre; /* of each element, or one of all */
  const float *spread;
  bool one_centre, one_spread;
  float limit; /* largest magnitude of the result */
};

extern const struct stage normalise_stage;

#endif
