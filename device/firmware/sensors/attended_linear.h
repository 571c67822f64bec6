/* An attended chip whose correction is a straight line for each number it says, and that is stale when it says the same
   for ever. The state of such a kind's driver begins with its `struct attended_linear`; its `correction_bytes` says how
   many lines there are. */
#ifndef ATTENDED_LINEAR_H
#define ATTENDED_LINEAR_H

#include "attended.h"
#include "linear_correction.h"
#include "repeats.h"

struct attended_linear {
  struct attended attended;
  struct linear_correction correction;
  struct repeats repeats;
};

/* Its driver's `init`, from a plan whose `period_us` and `slack_us` are set here by its rate: a block a sample, which
   may be half a period late. What it says is stale once `most_equal` blocks are equal. */
void attended_linear_init(const struct sensor *sensor, const struct sensor_context *context,
                          struct attended_plan *plan);
/* `possible`, `correct` and `corrected` of its driver. */
bool attended_linear_possible(const struct sensor *sensor, const struct correction *correction);
void attended_linear_correct(const struct sensor *sensor, const struct correction *correction);
bool attended_linear_corrected(const struct sensor *sensor);

/* All that such a driver's table has from here and from attended.h. */
#define ATTENDED_LINEAR_FUNCTIONS                                                               \
  ATTENDED_FUNCTIONS, .possible = attended_linear_possible, .correct = attended_linear_correct, \
                      .corrected = attended_linear_corrected

#endif
