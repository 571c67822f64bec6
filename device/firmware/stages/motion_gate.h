/* motion_gate: flags what was measured while somebody moved. */
#ifndef STAGES_MOTION_GATE_H
#define STAGES_MOTION_GATE_H

#include <stdint.h>

#include "stage.h"

struct motion_gate_parameters {
  float threshold;
  uint16_t held; /* samples that are flagged for one with motion, itself among them */
};

struct motion_gate_state {
  uint16_t left; /* samples that are still flagged */
};

/* Inputs: what is let through, and what tells motion. */
extern const struct stage motion_gate_stage;

#endif
