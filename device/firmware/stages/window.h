/* window: the last samples as rows of one array. */
#ifndef STAGES_WINDOW_H
#define STAGES_WINDOW_H

#include <stdint.h>

#include "stage.h"

struct window_parameters {
  uint16_t length; /* samples in a window */
  uint16_t every;  /* samples from one window to the next */
};

struct window_state {
  uint16_t filled; /* rows there are */
  uint16_t skip;   /* samples that no window will hold */
};

/* Keeps the rows, the oldest first; its output is where it keeps them. */
extern const struct stage window_stage;

#endif
