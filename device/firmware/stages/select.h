/* select: some elements of a sample, in any order and as often as wanted. */
#ifndef STAGES_SELECT_H
#define STAGES_SELECT_H

#include <stdint.h>

#include "stage.h"

struct select_parameters {
  const uint16_t *places; /* in the sample, of each element of the result */
};

extern const struct stage select_stage;

#endif
