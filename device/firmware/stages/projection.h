/* projection: a sample by how much of each of some shapes it holds. */
#ifndef STAGES_PROJECTION_H
#define STAGES_PROJECTION_H

#include <stdint.h>

#include "stage.h"

struct projection_parameters {
  const float *basis;  /* row by row, a row as long as the sample */
  const float *offset; /* added to each product; NULL: none */
  float least_noise;   /* added before the logarithm of the noise; 0: no such number */
  uint16_t rows;
};

extern const struct stage projection_stage;

#endif
