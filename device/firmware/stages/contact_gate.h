/* contact_gate: nodes that were lifted or set down, told by their steps. */
#ifndef STAGES_CONTACT_GATE_H
#define STAGES_CONTACT_GATE_H

#include <stdint.h>

#include "stage.h"

struct contact_gate_parameters {
  float step;      /* largest change that is one of the skin */
  uint16_t behind; /* samples before a sample that it is compared with */
  uint16_t held;   /* samples for which a node has no value */
};

struct contact_gate_state {
  uint16_t next; /* row of the next sample */
};

/* Keeps `behind` rows of the input's elements, then for each element the samples it is still held back, as uint32. */
extern const struct stage contact_gate_stage;

#endif
