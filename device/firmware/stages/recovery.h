/* recovery: one exponential through a curve, as the skin's after a cold challenge. */
#ifndef STAGES_RECOVERY_H
#define STAGES_RECOVERY_H

#include <stdint.h>

#include "stage.h"

#define RECOVERY_RESULTS 4U

struct recovery_parameters {
  float duration_s; /* from the window's first row to its last */
  float clear;      /* least amplitude of a result, in residuals; 0 for any */
  uint16_t rows;
  uint8_t pace; /* as of a signal: the sensor whose rate the duration follows */
};

/* Output, for each column: amplitude, time constant in seconds, offset, residual. Needs as scratch a float32 for each
   row. */
extern const struct stage recovery_stage;

#endif
