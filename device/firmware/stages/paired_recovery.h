/* paired_recovery: by how much one side recovers slower than the other, from one fit through the curves of all nodes of
   both. */
#ifndef STAGES_PAIRED_RECOVERY_H
#define STAGES_PAIRED_RECOVERY_H

#include <stdint.h>

#include "stage.h"

#define PAIRED_RECOVERY_RESULTS 4U
#define PAIRED_RECOVERY_SHARED 6U
#define PAIRED_RECOVERY_MOST_NODES 16U
#define PAIRED_RECOVERY_PARAMETERS (PAIRED_RECOVERY_SHARED + PAIRED_RECOVERY_MOST_NODES)

struct paired_recovery_parameters {
  const float *points; /* seconds, two of each bin: all first ones, then all second ones */
  const float *halves; /* of each bin: half of the root of its samples */
  const float *levels; /* what a level of 1 puts into each */
  const float *white;  /* lower triangle, row by row, that makes the bins of a node white */
  const float *usual;  /* what is believed of each parameter */
  const float *tight;  /* one over the variance of that */
  const float *logs;   /* of each node: logarithm of its share of the amplitude */
  const float *shares;
  float delay_s; /* most from the end of the challenge to the window */
  uint16_t bins;
  uint16_t nodes;
};

/* Needs as scratch float32: a row of bins for each node, 12 rows of bins, and three squares of (6 + nodes).
   Inputs: bins of each node, and its level before. Output: logarithm of the second side's time constants over the
   first's, its standard deviation, amplitude, misfit. */
extern const struct stage paired_recovery_stage;

#endif
