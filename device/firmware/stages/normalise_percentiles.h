/* normalise_percentiles: a sample by the range most of its own numbers are in. */
#ifndef STAGES_NORMALISE_PERCENTILES_H
#define STAGES_NORMALISE_PERCENTILES_H

#include <stdint.h>

#include "order.h"
#include "stage.h"

struct normalise_percentiles_parameters {
  float least;  /* smallest range that becomes 0 to 1 */
  uint8_t low;  /* percentile that becomes 0 */
  uint8_t high; /* percentile that becomes 1 */
};

/* Needs a `struct order_scratch` during a call. */
extern const struct stage normalise_percentiles_stage;

#endif
