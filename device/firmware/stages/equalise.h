/* equalise: a picture by ranks, so that all its levels are used alike. */
#ifndef STAGES_EQUALISE_H
#define STAGES_EQUALISE_H

#include <stdint.h>

#include "levels.h"
#include "stage.h"

#define EQUALISE_COUNTS 512U

/* What rows or columns go between. */
struct equalise_blend {
  const uint16_t *edges;  /* where tiles begin, and the end */
  const uint16_t *first;  /* of each row or column, the tile before */
  const uint16_t *second; /* the tile behind */
  const float *share;     /* of the tile behind */
};

struct equalise_parameters {
  struct levels levels;
  struct equalise_blend down, along;
  const uint16_t *limits; /* most pixels of a level by tile, 0 for no limit */
  uint16_t rows, columns;
  uint16_t tile_rows, tile_columns;
};

/* Needs EQUALISE_COUNTS uint16 during a call, and a float32 a level and tile and one more. */
extern const struct stage equalise_stage;

#endif
