/* resize: a picture of more or fewer pixels. */
#ifndef STAGES_RESIZE_H
#define STAGES_RESIZE_H

#include <stdint.h>

#include "stage.h"

/* What new places along one axis rest on. */
struct resize_taps {
  const uint16_t *first; /* of each, the first old place */
  const uint16_t *count; /* how many from there */
  const float *weights;  /* of these, one place after another */
};

struct resize_parameters {
  struct resize_taps down, along;
  uint16_t rows, columns; /* of the result */
  uint16_t wide;          /* columns of the picture that it is made of */
};

extern const struct stage resize_stage;

#endif
