/* bandpass: a Butterworth filter that lets a band of frequencies through, as second-order sections. */
#ifndef STAGES_BANDPASS_H
#define STAGES_BANDPASS_H

#include <stdint.h>

#include "stage.h"

/* Numbers without a value in a row after which the filter starts anew. */
#define BANDPASS_GAP 4U
#define BANDPASS_MAX_SECTIONS 4U

/* y = b x + s1; s1 = s2 - a1 y; s2 = -b x - a2 y. */
struct bandpass_section {
  float b, a1, a2;
};

struct bandpass_parameters {
  const struct bandpass_section *sections;
  uint32_t count; /* of sections */
};

/* What it keeps of each element. */
struct bandpass_column {
  float last;       /* the newest number that had a value */
  uint32_t lacking; /* numbers without a value in a row; BANDPASS_GAP: not begun */
  float s1[BANDPASS_MAX_SECTIONS];
  float s2[BANDPASS_MAX_SECTIONS];
};

/* Keeps a `struct bandpass_column` for each element. */
extern const struct stage bandpass_stage;

#endif
