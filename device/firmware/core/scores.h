/* What a network's outputs say of a profile's labels: a score each, and which wins. */
#ifndef SCORES_H
#define SCORES_H

#include <stdint.h>

#include "profile.h"

struct scores {
  float values[PROFILE_MAX_LABELS]; /* 0 to 1, one a label */
  uint8_t label;                    /* that wins: of the highest score, the first of equal ones */
};

/* Scores of the profile's labels. With one label more than outputs the first label says that none of the others holds:
   its score is one minus the greatest output. */
void scores_of(const struct profile *profile, const int8_t *output, struct scores *scores);

/* A score in 1/65535, as records carry it. */
uint16_t scores_on_wire(float score);

#endif
