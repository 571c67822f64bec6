/* step_removal: a window's curves without the steps that a change of contact puts into them. */
#ifndef STAGES_STEP_REMOVAL_H
#define STAGES_STEP_REMOVAL_H

#include <stdint.h>

#include "order.h"
#include "stage.h"

#define STEP_REMOVAL_TAPS 16U

struct step_removal_parameters {
  const float *taps; /* what rows around a place are multiplied by to give the height of a step there */
  float threshold;   /* least height for a median size of second differences of 1 */
  float least;       /* least height in the signal's unit */
  uint16_t first;    /* row before which no step is looked for */
  uint16_t rows;
};

/* Needs as scratch a `struct order_scratch`, and a float32 a row. */
extern const struct stage step_removal_stage;

#endif
