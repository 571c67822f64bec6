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

/* `possible`, `correct` and `corrected` of its driver. */
bool attended_linear_possible(const struct sensor *sensor, const struct correction *correction);
void attended_linear_correct(const struct sensor *sensor, const struct correction *correction);
bool attended_linear_corrected(const struct sensor *sensor);

#endif
