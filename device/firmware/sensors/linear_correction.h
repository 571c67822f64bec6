/* Corrections that are a straight line for each number a sensor says: y = offset + gain x + slope (ta - 25). */
#ifndef LINEAR_CORRECTION_H
#define LINEAR_CORRECTION_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

struct correction_line {
  float offset; /* in the unit of the number */
  float gain;
  float slope; /* for each K of the sensor's own temperature */
};

/* Read the body of a correction with `count` lines. Returns OK or DAMAGED (another length, or beyond what a sound
   sensor needs). */
enum status correction_lines_read(const uint8_t *body, size_t size, struct correction_line *lines, size_t count);

static inline float correction_line_apply(const struct correction_line *line, float x) {
  return line->offset + line->gain * x;
}

/* The same, with a sensor of temperature `ta`, degC. */
static inline float correction_line_apply_at(const struct correction_line *line, float x, float ta) {
  return line->offset + line->gain * x + line->slope * (ta - 25.0F);
}

#endif
