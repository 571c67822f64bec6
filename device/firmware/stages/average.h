/* average: the running mean of the last samples, in fixed-point steps. */
#ifndef STAGES_AVERAGE_H
#define STAGES_AVERAGE_H

#include <stdint.h>

#include "stage.h"

struct average_parameters {
  float inverse; /* 1 / step */
  float factor;  /* step / pictures */
  uint16_t pictures;
};

struct average_state {
  uint16_t count; /* samples there are, at most `pictures` */
  uint16_t next;  /* place of the next sample */
  uint16_t clean; /* samples since the last one that lacked a number, at most `pictures` */
};

/* int16 steps that an element's samples take: an even number, so that pairs of them are words. */
static inline uint32_t average_row(uint16_t pictures) {
  return (uint32_t)pictures + pictures % 2U;
}

/* Keeps a row of `average_row` int16 steps for each element. */
extern const struct stage average_stage;

#endif
