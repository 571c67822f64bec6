/* metabolic_rate: what a body turns over, from its heart rate and what is known of it. */
#ifndef STAGES_METABOLIC_RATE_H
#define STAGES_METABOLIC_RATE_H

#include <stdbool.h>

#include "stage.h"

struct metabolic_rate_parameters {
  float max_rate[2]; /* largest heart rate: level, and what a year adds */
  float uptake[5];   /* largest oxygen uptake: level, and what a year, a kg, a metre and being male add */
  float rest;        /* oxygen uptake at rest */
  float watts;       /* W/kg of an uptake of 1 */
  float least_span;  /* fewest beats from rest to the largest heart rate */
  bool whole;        /* of the body, not of a kilogram */
};

/* Inputs: heart rate, that at rest, and the wearer's age, weight, height and sex. */
extern const struct stage metabolic_rate_stage;

#endif
