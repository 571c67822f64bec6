/* sobel: how steeply a picture rises. */
#ifndef STAGES_SOBEL_H
#define STAGES_SOBEL_H

#include <stdint.h>

#include "stage.h"

enum sobel_gives { SOBEL_MAGNITUDE, SOBEL_X, SOBEL_Y };

struct sobel_parameters {
  enum sobel_gives give;
  uint16_t rows, columns;
};

extern const struct stage sobel_stage;

#endif
