/* segment: what of a picture is warm, as a mask or cut out. */
#ifndef STAGES_SEGMENT_H
#define STAGES_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "runs.h"
#include "stage.h"

#define SEGMENT_BINS 256U

struct segment_parameters {
  float threshold;
  bool otsu; /* finds the threshold */
  bool largest, diagonal;
  bool picture; /* gives the values within, not a mask */
  uint8_t opening;
  uint16_t rows, columns;
};

/* Needs a uint32 a bin during a call, rows * ((columns + 1) / 2) runs, and a byte a pixel. */
extern const struct stage segment_stage;

#endif
