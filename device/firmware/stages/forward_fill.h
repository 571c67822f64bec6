/* forward_fill: what has no value for a moment keeps the one it had. */
#ifndef STAGES_FORWARD_FILL_H
#define STAGES_FORWARD_FILL_H

#include <stdint.h>

#include "stage.h"

struct forward_fill_parameters {
  int64_t oldest_us; /* age from which a value is none any more */
};

/* Keeps for each element the time of its last value, as int64, then for each that value. */
extern const struct stage forward_fill_stage;

#endif
