/* foster_fit: time constants of a recovery curve by least squares, with an offset and a drift where the curve has one.
 */
#ifndef STAGES_FOSTER_FIT_H
#define STAGES_FOSTER_FIT_H

#include <stdint.h>

#include "stage.h"

#define FOSTER_FIT_PARTS 3U
#define FOSTER_FIT_STRAYS 2U
#define FOSTER_FIT_PARAMETERS 8U /* logarithms, amplitudes, strays */
#define FOSTER_FIT_STARTS 6U     /* of one, two and three parts */

struct foster_fit_parameters {
  const uint16_t *edges; /* borders of bins in samples, one more than there are bins */
  const float *weights;  /* of each bin: 1 / root of its samples */
  const float *level;    /* what an offset of 1 puts into bins */
  const float *drift;    /* what a drift from 0 to 1 puts into them */
  const float *starts;   /* logarithms of time constants to begin with, of one, two and three parts */
  float period_s;
  float stiff; /* what a unit of offset or drift weighs beside a residual */
  float far;   /* most of an offset or a drift */
  float least; /* logarithms of the range of time constants */
  float most;
  uint16_t bins;
};

/* Needs as scratch (PARAMETERS + 2) rows of bins + STRAYS + PARAMETERS float32. */
extern const struct stage foster_fit_stage;

#endif
