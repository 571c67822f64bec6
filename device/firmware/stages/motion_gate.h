/* motion_gate: flags what was measured while somebody moved. */
#ifndef STAGES_MOTION_GATE_H
#define STAGES_MOTION_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "stage.h"

struct motion_gate_parameters {
  float threshold;
  int64_t hold_us; /* for which the flag stays after the last motion */
};

struct motion_gate_state {
  int64_t newest_us; /* time of the newest motion */
  bool moved;        /* there was one */
};

/* Inputs: what is let through, and what tells motion. */
extern const struct stage motion_gate_stage;

#endif
