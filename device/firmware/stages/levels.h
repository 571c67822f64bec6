/* Values brought to a few whole levels, evenly spaced. */
#ifndef STAGES_LEVELS_H
#define STAGES_LEVELS_H

#include <stdint.h>

#include "float32.h"

struct levels {
  float inverse; /* 1 / step */
  int32_t base;  /* FLOAT32_ROUNDER_BITS and the number of steps at the lowest level */
  uint16_t count;
};

/* A level's number, what is beyond at the ends; `count` of no value. */
static inline uint32_t levels_of(const struct levels *levels, float value) {
  const int32_t bits = float32_bits(value * levels->inverse + FLOAT32_ROUNDER);
  const uint32_t level = (uint32_t)bits - (uint32_t)levels->base;
  if (level < levels->count) {
    return level;
  }
  return float32_is_nothing(value) ? levels->count : bits < levels->base ? 0U : levels->count - 1U;
}

#endif
