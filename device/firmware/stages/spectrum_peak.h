/* spectrum_peak: a heart rate from a window of pulse, with what moves in the same rhythm taken away. */
#ifndef STAGES_SPECTRUM_PEAK_H
#define STAGES_SPECTRUM_PEAK_H

#include <stdbool.h>
#include <stdint.h>

#include "stage.h"

/* Windows in a row without a rate after which the last one is not looked for any more. */
#define SPECTRUM_PEAK_FORGOTTEN 15U

struct spectrum_peak_parameters {
  const float *rates;   /* of the grid, a minute */
  const float *cosines; /* 2 cos w of each */
  const float *taper;   /* Hann window, a number a row */
  float step;           /* from one rate to the next */
  float motion_factor;  /* power of motion times this is what halves a power where it is 1 */
  float narrowness;     /* 1 over how far from the last rate power counts half */
  float least_quality;  /* below it there is no rate */
  uint16_t count;       /* of rates */
  uint16_t rows;        /* of the window */
  uint16_t lobe;        /* steps on either side of a peak that belong to it */
};

struct spectrum_peak_state {
  float last; /* rate of the last peak */
  bool tracking;
  uint8_t without; /* windows in a row without a rate, at most SPECTRUM_PEAK_FORGOTTEN */
};

/* Inputs: the pulse, and motion where it is given. Needs as scratch a float32 for each row and two for each rate. */
extern const struct stage spectrum_peak_stage;

#endif
