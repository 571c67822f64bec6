/* reference: how far a signal is from what is usual of this wearer, which is learned while it is worn. */
#ifndef STAGES_REFERENCE_H
#define STAGES_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "learner.h"
#include "registration.h"
#include "stage.h"

#define REFERENCE_MOST_GIVEN 5

enum reference_part { REFERENCE_DIFFERENCE, REFERENCE_REFERENCE, REFERENCE_HOURS, REFERENCE_SAMPLES, REFERENCE_SHIFT };

struct reference_parameters {
  const struct registration *registration; /* of pictures; NULL: they lie as they come */
  int64_t memory_us;                       /* over which the level follows */
  int64_t settled_us;                      /* of learning after which it does; before, it is the mean of all */
  int64_t least_us;                        /* of learning before there is a result */
  float low;                               /* of the ambient, where the first part begins */
  float parts;                             /* in a unit of the ambient */
  float limit;                             /* how far from the level a number may be to be learned; 0: however far */
  uint8_t bins;                            /* parts */
  uint8_t give_count;
  uint8_t give[REFERENCE_MOST_GIVEN]; /* enum reference_part, in order */
};

struct reference_state {
  struct learner_clock clock;
};

/* Inputs: the signal, and the ambient where it is given. Keeps `struct learned`, for each part the microseconds
   learned, as int64, then for each part a row of levels. */
extern const struct stage reference_stage;

#endif
