/* domain: holds a sample within what was learnt from, and flags what lies far from all of it. */
#ifndef STAGES_DOMAIN_H
#define STAGES_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "stage.h"

struct domain_parameters {
  const float *low; /* of each element, or one of all */
  const float *high;
  bool one_low, one_high;
  const float *axes;   /* one after another */
  const float *spread; /* of each axis */
  uint32_t count;      /* axes */
  float along;         /* greatest distance along the axes, in spreads */
  float across;        /* greatest distance from what they span */
};

extern const struct stage domain_stage;

#endif
