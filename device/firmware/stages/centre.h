/* centre: a sample less its own middle. */
#ifndef STAGES_CENTRE_H
#define STAGES_CENTRE_H

#include <stdbool.h>

#include "order.h"
#include "stage.h"

struct centre_parameters {
  bool median; /* otherwise the mean */
};

/* The median needs a `struct order_scratch`. */
extern const struct stage centre_stage;

#endif
