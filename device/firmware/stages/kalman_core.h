/* kalman_core: core temperature from heart rate by ECTemp, a Kalman filter with one step a minute. */
#ifndef STAGES_KALMAN_CORE_H
#define STAGES_KALMAN_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "stage.h"

struct kalman_core_parameters {
  float start;              /* above 37 degC, as are the two limits */
  float lowest, highest;    /* where the method was made for */
  float level, slope, bend; /* heart rate of core temperature above 37 degC, by powers */
  float variance;           /* of what core temperature moves in a minute */
  float heart_variance;
};

struct kalman_core_state {
  int64_t newest_us;
  float above; /* core temperature above 37 degC */
  float variance;
  bool begun; /* there is a newest minute */
};

/* Output: core temperature in degC, its standard deviation. */
extern const struct stage kalman_core_stage;

#endif
