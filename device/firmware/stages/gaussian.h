/* gaussian: a picture smoothed by a bell of 3 x 3 or 5 x 5 pixels. */
#ifndef STAGES_GAUSSIAN_H
#define STAGES_GAUSSIAN_H

#include <stdint.h>

#include "stage.h"

struct gaussian_parameters {
  float along[3]; /* weights of pixels 0, 1 and 2 away; that of the middle is 1 */
  float scale;    /* 1 / the sum of all weights of a picture */
  uint16_t rows, columns;
  uint16_t radius; /* 1 or 2 */
};

/* Needs columns + 2 radius float32 during a call. */
extern const struct stage gaussian_stage;

#endif
