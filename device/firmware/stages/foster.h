/* foster: time constants and shares of a Foster network, out of what a network says of a recovery curve. */
#ifndef STAGES_FOSTER_H
#define STAGES_FOSTER_H

#include <stdint.h>

#include "stage.h"

#define FOSTER_MAX_PARTS 4

struct foster_parameters {
  float log_centre, log_spread; /* ln(tau / s) = log_centre + log_spread * what is said */
  uint8_t parts;                /* the largest number of parts */
  uint8_t copies;               /* how often the logarithms are said */
};

/* Input: logarithms at each place, shares at each place, a score for each number of parts, further copies of the
   logarithms. Output: the number of parts, the time constants in ascending order, their shares. */
extern const struct stage foster_stage;

#endif
