/* hold: the newest sample of a signal, at the moments of another one. */
#ifndef STAGES_HOLD_H
#define STAGES_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "stage.h"

struct hold_parameters {
  int64_t oldest_us; /* age from which it is no value any more; 0 holds for ever */
};

struct hold_state {
  int64_t time_us; /* of what is held */
  uint16_t flags;
  bool held;  /* there is something */
  bool stale; /* which has become too old */
};

/* Inputs: what is held, and at whose moments. Keeps the values; its output is where it keeps them. Times of the second
   signal never go back, so that what is too old once stays so. */
extern const struct stage hold_stage;

#endif
