/* slope: how fast a signal rises or falls, by least squares over the time that has just passed. */
#ifndef STAGES_SLOPE_H
#define STAGES_SLOPE_H

#include <stdint.h>

#include "stage.h"

struct slope_parameters {
  uint32_t span_ms; /* age of the oldest sample that counts */
  float factor;     /* milliseconds in the result's unit of time */
  uint16_t length;  /* samples in a span */
};

struct slope_state {
  uint16_t count; /* samples there are, at most `length` */
  uint16_t next;  /* place of the next sample */
};

/* Keeps `length` int64 times in milliseconds, then as many rows of the input's elements. */
extern const struct stage slope_stage;

#endif
