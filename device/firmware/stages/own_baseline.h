/* own_baseline: numbers by what is usual of this wearer, whose middle and spread are learned over the first days. */
#ifndef STAGES_OWN_BASELINE_H
#define STAGES_OWN_BASELINE_H

#include <stdint.h>

#include "learner.h"
#include "stage.h"

struct own_baseline_parameters {
  int64_t learn_us;   /* of learning before there is a result */
  int64_t memory_us;  /* over which centre and spread follow later on */
  float least_spread; /* below which no spread is taken to be */
  float limit;        /* largest magnitude of the result */
};

struct own_baseline_state {
  struct learner_clock clock;
};

/* Keeps `struct learned`, then centres, then mean magnitudes around them. */
extern const struct stage own_baseline_stage;

#endif
