/* Corrections that are a straight line for each number a sensor says: y = offset + gain x + slope (ta - 25). */
#ifndef LINEAR_CORRECTION_H
#define LINEAR_CORRECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "correction.h"
#include "status.h"

#define CORRECTION_LINES 2 /* most numbers that a kind has corrected so */
#define CORRECTION_LINE_BYTES 12U

struct correction_line {
  float offset; /* in the unit of the number */
  float gain;
  float slope; /* for each K of the sensor's own temperature */
};

/* Read the body of a correction with `count` lines. Returns OK or DAMAGED (another length, or beyond what a sound
   sensor needs). */
enum status correction_lines_read(const struct flash_span *body, struct correction_line *lines, size_t count);

/* What a driver has of a sensor's correction. */
struct linear_correction {
  struct correction_line lines[CORRECTION_LINES];
  bool known; /* there is one */
};

/* Whether a body has `count` lines that a sound sensor can need. */
bool linear_correction_is_possible(const struct correction *correction, size_t count);
/* Use a correction, or none where it is NULL or not possible. */
void linear_correction_use(struct linear_correction *linear, const struct correction *correction, size_t count);
/* Whether it changes anything. */
bool linear_correction_changes(const struct linear_correction *linear, size_t count);

/* The lines as decoders take them; NULL where there is no correction. */
static inline const struct correction_line *linear_correction_lines(const struct linear_correction *linear) {
  return linear->known ? linear->lines : NULL;
}

static inline float correction_line_apply(const struct correction_line *line, float x) {
  return line->offset + line->gain * x;
}

/* The same, with a sensor of temperature `ta`, degC. */
static inline float correction_line_apply_at(const struct correction_line *line, float x, float ta) {
  return line->offset + line->gain * x + line->slope * (ta - 25.0F);
}

#endif
