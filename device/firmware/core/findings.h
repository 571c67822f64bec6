/* What a model says of one moment, out of the numbers its findings are read from. */
#ifndef FINDINGS_H
#define FINDINGS_H

#include <stdbool.h>
#include <stdint.h>

/* A score travels as a whole number of steps from 0 to 1. */
#define FINDING_SCORE_STEPS 65535

/* A number that a model says: offset + factor x, flagged where it is not within low and high. */
struct finding_quantity {
  float offset, factor;
  float low, high;
};

/* A model's outputs. */
struct finding_model {
  const struct finding_quantity *quantities; /* NULL: they are scores */
  uint16_t reading;                          /* number of the signal they are read from */
  uint8_t output_count;
};

struct finding {
  int64_t time_us; /* of the moment it is about */
  float *values;   /* scores in whole steps of 1 / FINDING_SCORE_STEPS, or quantities */
  uint16_t flags;  /* enum quality */
  uint8_t model;
  uint8_t count; /* of the values; 0 where there is no value */
};

/* Read a finding.
   said: the signal's numbers, of which a model of two scores may have one, the second's.
   values: room for the model's outputs. */
struct finding finding_read(const struct finding_model *model, uint8_t number, const float *said, uint32_t said_count,
                            uint16_t flags, int64_t time_us, float *values);

/* A score of a finding as it travels. */
uint16_t finding_steps(float score);

/* Place of the greatest value, the first of equals; the finding must have values. */
uint8_t finding_winner(const struct finding *finding);

#endif
