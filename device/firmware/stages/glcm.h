/* glcm: texture by how often levels stand beside one another. */
#ifndef STAGES_GLCM_H
#define STAGES_GLCM_H

#include <stdint.h>

#include "levels.h"
#include "stage.h"

/* From one pixel of a pair to the other. */
struct glcm_offset {
  uint8_t down;
  int8_t along;
};

struct glcm_parameters {
  struct levels levels;
  const struct glcm_offset *offsets;
  uint16_t offset_count;
  uint16_t rows, columns;
};

/* Needs (levels + 1)^2 uint32 during a call, up to a multiple of four, and a byte a pixel. */
extern const struct stage glcm_stage;

#endif
