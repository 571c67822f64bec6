/* domain_gate: flags what cannot be told because something about it is beyond what it was made for. */
#ifndef STAGES_DOMAIN_GATE_H
#define STAGES_DOMAIN_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "stage.h"

struct domain_gate_parameters {
  float low;
  float high;
  bool calibrated; /* what is flagged UNCALIBRATED is beyond, too */
};

/* Inputs: what is let through, and what tells. */
extern const struct stage domain_gate_stage;

#endif
