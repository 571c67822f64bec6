/* What stages share that learn what is usual of one wearer, as thermo_core.stages.learning has it. */
#ifndef LEARNER_H
#define LEARNER_H

#include <stdbool.h>
#include <stdint.h>

#include "elapsed.h"

#define LEARNER_LONGEST_US ((int64_t)1 << 60)

/* How far a stage has learned: the beginning of what it keeps. */
struct learned {
  int64_t age_us;     /* under power since its first sample, as of its newest */
  int64_t learned_us; /* that what it learned stands for */
  uint32_t samples;   /* that it learned */
  uint16_t ready;     /* parts of the ambient for which it says something */
  uint16_t parts;     /* of the ambient */
};

/* How long each sample stands for, and when the one before it was learned. */
struct learner_clock {
  struct elapsed elapsed;
  int64_t seen_us; /* the newest of all that was learned, where there is one */
  bool seen;
};

/* A sample was learned that stands for so long. */
void learner_count(struct learner_clock *clock, struct learned *learned, int64_t time_us, int64_t since_us);

/* Whether so long can have been learned. */
bool learner_is_time(int64_t time_us);

/* Whether it can have come about in a stage of so many parts. */
bool learner_is_sound(const struct learned *learned, uint16_t parts);

#endif
