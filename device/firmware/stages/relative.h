/* relative: numbers in proportion to how large they may be by chance. */
#ifndef STAGES_RELATIVE_H
#define STAGES_RELATIVE_H

#include "stage.h"

struct relative_parameters {
  float floor;
};

extern const struct stage relative_stage;

#endif
