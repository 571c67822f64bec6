/* expectile: the level that a signal seldom falls below, as a heart rate at rest. */
#ifndef STAGES_EXPECTILE_H
#define STAGES_EXPECTILE_H

#include <stdbool.h>
#include <stdint.h>

#include "elapsed.h"
#include "stage.h"

struct expectile_parameters {
  int64_t memory_us; /* over which the level follows */
  int64_t least_us;  /* of learning before the flag goes */
  int64_t before_us; /* of learning that the start stands for */
  float start;       /* level to begin with */
  float lower;       /* what the weight of a sample is multiplied by towards what is lower */
  float higher;
  bool starts; /* otherwise it begins with the first value that comes */
};

struct expectile_state {
  struct elapsed elapsed;
  int64_t learned_us;
};

/* Keeps a level for each element. */
extern const struct stage expectile_stage;

#endif
