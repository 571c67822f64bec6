/* subtract_background: what stands out from a scene whose background is learned slowly. */
#ifndef STAGES_SUBTRACT_BACKGROUND_H
#define STAGES_SUBTRACT_BACKGROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "elapsed.h"
#include "stage.h"

struct subtract_background_parameters {
  int64_t time_constant_us; /* over which the background follows */
  int64_t least_us;         /* of learning before there is a result */
  float threshold;          /* how far from the background foreground is */
  bool median;              /* the background goes by so much at most, not by a share of the difference */
  bool mask;                /* gives 0 and 1, not differences */
  uint16_t patience_s;      /* after which foreground becomes background; 0: never */
};

struct subtract_background_state {
  struct elapsed elapsed;
  int64_t learned_us;
};

/* Keeps a float32 an element, its background, then a uint16 an element: the second of learning when it was background
   last. */
extern const struct stage subtract_background_stage;

#endif
