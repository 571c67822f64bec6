/* difference: one side less the other. */
#ifndef STAGES_DIFFERENCE_H
#define STAGES_DIFFERENCE_H

#include <stdint.h>

#include "stage.h"

struct difference_parameters {
  const uint16_t *first;  /* places of what is taken from; NULL: halves of a picture */
  const uint16_t *second; /* and of what is taken away */
  uint16_t columns;       /* of the picture */
};

extern const struct stage difference_stage;

#endif
