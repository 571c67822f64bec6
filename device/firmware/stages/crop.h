/* crop: a part of a picture. */
#ifndef STAGES_CROP_H
#define STAGES_CROP_H

#include <stdint.h>

#include "stage.h"

struct crop_parameters {
  uint32_t first; /* place of its first pixel */
  uint16_t rows, columns;
  uint16_t wide; /* columns of the picture that it is taken from */
};

extern const struct stage crop_stage;

#endif
