/* resample: a signal at a rate of its own, on a grid of device time. */
#ifndef STAGES_RESAMPLE_H
#define STAGES_RESAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "stage.h"

struct resample_parameters {
  int64_t period_us;
  int64_t least_gap_us; /* the time between two samples is a gap beyond this and the input's own bound */
  bool last;            /* the last sample of a step, which stands in for steps without one; otherwise the mean */
  uint16_t room;        /* steps that may wait at once, those that a last sample stands in for counted with it */
};

/* A step that waits to be given, and those that the same values stand in for. */
struct resample_step {
  int64_t time_us; /* of the next of them */
  uint32_t more;   /* of them after that one */
  uint16_t flags;
  bool fresh;
};

struct resample_state {
  int64_t step; /* that samples are taken into */
  int64_t newest_us;
  uint16_t flags; /* of the samples of this step */
  bool begun;     /* there are some */
  bool fresh;     /* what is given next does not continue what was given before */
  uint16_t first; /* of the steps that wait */
  uint16_t waiting;
};

/* Keeps `room` steps that wait, then the values of each, then of the step at hand: for a mean the sums and uint32
   numbers of samples, otherwise the last values. */
extern const struct stage resample_stage;

#endif
