/* contact_correction: skin temperature from a node in cloth that half feels the air. */
#ifndef STAGES_CONTACT_CORRECTION_H
#define STAGES_CONTACT_CORRECTION_H

#include <stdbool.h>

#include "stage.h"

struct contact_correction_parameters {
  const float *factors; /* k / (1 - k) of each node, or of all */
  bool one_factor;
};

/* Inputs: the nodes, and the air. */
extern const struct stage contact_correction_stage;

#endif
