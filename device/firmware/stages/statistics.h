/* statistics: numbers that describe a window of time or a whole sample. */
#ifndef STAGES_STATISTICS_H
#define STAGES_STATISTICS_H

#include <stdbool.h>
#include <stdint.h>

#include "order.h"
#include "stage.h"

enum statistic {
  STATISTIC_MEAN,
  STATISTIC_SD, /* of all, not of a sample */
  STATISTIC_SLOPE,
  STATISTIC_MIN,
  STATISTIC_MAX,
  STATISTIC_RANGE,
  STATISTIC_FIRST,
  STATISTIC_LAST,
  STATISTIC_CHANGE, /* mean magnitude of the change over `number` rows */
  STATISTIC_RISE,   /* the largest rise over `number` rows */
  STATISTIC_FALL,
  STATISTIC_MEDIAN,
  STATISTIC_PERCENTILE, /* the `number`-th: the nearest element below */
};

/* A statistic of some rows. */
struct statistics_term {
  enum statistic what;
  uint32_t first; /* row */
  uint32_t count; /* rows */
  uint32_t number;
  float square; /* of a slope: sum of the squares of times, n (n^2 - 1) / 12 */
  bool less;    /* the next term is taken away from this one */
};

struct statistics_parameters {
  const struct statistics_term *terms;
  uint32_t rows;    /* of the sample; it has as many columns as fit */
  float spacing_s;  /* from row to row, at the profile's rates */
  uint8_t pace;     /* as of a signal: the sensor whose rate the spacing follows */
  uint16_t results; /* of each column */
};

/* A median or a percentile needs a `struct order_scratch`. */
extern const struct stage statistics_stage;

#endif
