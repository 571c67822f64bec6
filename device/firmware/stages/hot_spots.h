/* hot_spots: where a picture is warmer than the rest, and by how much. */
#ifndef STAGES_HOT_SPOTS_H
#define STAGES_HOT_SPOTS_H

#include <stdint.h>

#include "order.h"
#include "runs.h"
#include "stage.h"

#define HOT_SPOTS_MOST 32U

struct hot_spots_parameters {
  float least_k;
  uint16_t rows, columns;
  uint16_t most;
};

/* Needs a `struct order_scratch` during a call, behind it rows * ((columns + 1) / 2) runs and as many uint16, and a
   byte a pixel. */
extern const struct stage hot_spots_stage;

#endif
