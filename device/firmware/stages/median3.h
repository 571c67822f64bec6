/* median3: each pixel by the median of 3 x 3, in fixed-point steps. */
#ifndef STAGES_MEDIAN3_H
#define STAGES_MEDIAN3_H

#include <stdint.h>

#include "stage.h"

struct median3_parameters {
  float inverse; /* 1 / step */
  float half;    /* step / 2 */
  uint16_t rows, columns;
};

/* int16 steps of a row: edges repeated, an even number. */
static inline uint32_t median3_row(uint32_t columns) {
  return (columns + 3U) / 2U * 2U;
}

/* Needs rows + 4 rows of `median3_row` int16 during a call. */
extern const struct stage median3_stage;

#endif
