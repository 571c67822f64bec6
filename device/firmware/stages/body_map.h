/* body_map: temperatures of a body's segments from those of some nodes on it. */
#ifndef STAGES_BODY_MAP_H
#define STAGES_BODY_MAP_H

#include <stdint.h>

#include "stage.h"

struct body_map_parameters {
  const float *usual;   /* of each node */
  const float *weights; /* of each node, row by row, those of all nodes */
  const float *matrix;  /* of each segment, row by row, those of all nodes */
  const float *level;   /* of each segment */
  const float *shares;  /* of each segment, together 1; NULL: no mean of them */
  uint16_t segments;
  uint8_t least; /* fewest nodes with a value */
};

/* With n nodes of which m may lack, needs as scratch n + m (m + 1) float32 and m bytes. */
extern const struct stage body_map_stage;

#endif
