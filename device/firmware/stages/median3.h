/* median3: each pixel by the median of 3 x 3. */
#ifndef STAGES_MEDIAN3_H
#define STAGES_MEDIAN3_H

#include <stdint.h>

#include "stage.h"

struct median3_parameters {
  uint16_t rows, columns;
};

/* Needs 6 (columns + 2) int32 during a call, and another one a pixel. */
extern const struct stage median3_stage;

#endif
