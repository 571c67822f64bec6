/* enmo: how much somebody moves, from an accelerometer. */
#ifndef STAGES_ENMO_H
#define STAGES_ENMO_H

#include "stage.h"

#define ENMO_AXES 3U

struct enmo_parameters {
  float gravity; /* what an accelerometer at rest says */
  bool windowed; /* gives mean and SD of a window; otherwise a number for a sample */
};

extern const struct stage enmo_stage;

#endif
