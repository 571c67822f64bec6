/* node_check: nodes that say what the others make implausible. */
#ifndef STAGES_NODE_CHECK_H
#define STAGES_NODE_CHECK_H

#include <stdint.h>

#include "stage.h"

struct node_check_parameters {
  const float *usual;     /* of each node */
  const float *tightness; /* 1 / limit of each node */
  const float *weights;   /* of each node, row by row, those of all nodes */
  uint8_t most;           /* most nodes that are taken away of one sample */
};

/* Needs as scratch a float32 and a byte for each node. */
extern const struct stage node_check_stage;

#endif
