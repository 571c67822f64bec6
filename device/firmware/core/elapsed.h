/* How long each sample of a signal stands for, as thermo_core.stages.elapsed has it. */
#ifndef ELAPSED_H
#define ELAPSED_H

#include <stdbool.h>
#include <stdint.h>

struct elapsed {
  int64_t newest_us; /* the sample before, where there is one that this one follows */
  bool begun;
};

/* The next sample follows none. */
void elapsed_interrupt(struct elapsed *elapsed);

/* Microseconds since the sample before, or a period after a time without samples. */
int64_t elapsed_since(struct elapsed *elapsed, int64_t time_us, int64_t gap_us);

#endif
