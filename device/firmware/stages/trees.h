/* trees: scores of classes by boosted decision trees. */
#ifndef STAGES_TREES_H
#define STAGES_TREES_H

#include <stdint.h>

#include "stage.h"

struct trees_split {
  float threshold; /* beyond which the new leaf follows */
  uint8_t leaf;    /* that is parted */
  uint8_t feature; /* element of the sample */
};

struct trees_parameters {
  const struct trees_split *splits; /* tree by tree */
  const float *values;              /* of the leaves, tree by tree */
  const float *start;               /* of each class, what its sum begins with */
  uint16_t count;                   /* of trees */
  uint8_t leaves;                   /* of each tree */
  uint8_t classes;
};

extern const struct stage trees_stage;

#endif
