/* trees: scores of classes by boosted decision trees. */
#ifndef STAGES_TREES_H
#define STAGES_TREES_H

#include <stdint.h>

#include "stage.h"

#define TREES_LEAF 255U

struct trees_node {
  float threshold; /* beyond which the second child follows; of a leaf what it adds */
  uint16_t child;  /* number of the first child, which the second follows */
  uint8_t feature; /* element of the sample; TREES_LEAF for a leaf */
};

struct trees_parameters {
  const struct trees_node *nodes;
  const uint16_t *roots; /* number of the first node of each tree */
  const float *start;    /* of each class, what its sum begins with */
  uint16_t count;        /* of trees */
  uint8_t classes;
};

extern const struct stage trees_stage;

#endif
