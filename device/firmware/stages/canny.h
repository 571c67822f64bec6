/* canny: edges of a picture, one pixel wide. */
#ifndef STAGES_CANNY_H
#define STAGES_CANNY_H

#include <stdint.h>

#include "stage.h"

struct canny_parameters {
  float high, low;          /* squares of eight times the slopes */
  float tangent, cotangent; /* of 22.5 degrees */
  uint16_t rows, columns;
};

/* Needs 3 bytes a pixel during a call. */
extern const struct stage canny_stage;

#endif
