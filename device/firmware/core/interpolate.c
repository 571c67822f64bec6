/* Estimates for invalid pixels. A filled pixel never is the source of another. */
#include "interpolate.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_valid(const uint32_t valid[ROWS], int32_t row, int32_t column) {
  return row >= 0 && row < (int32_t)ROWS && column >= 0 && column < (int32_t)COLUMNS &&
         (valid[row] >> column & 1U) != 0;
}

static float at(const float celsius[PIXELS], int32_t row, int32_t column) {
  return celsius[row * (int32_t)COLUMNS + column];
}

/* Looks at valid pixels alone, which are few where this is needed. */
static float nearest(const float celsius[PIXELS], const uint32_t valid[ROWS], int32_t row, int32_t column) {
  int32_t least = INT32_MAX;
  float sum = 0.0F;
  int32_t count = 0;
  for (int32_t y = 0; y < (int32_t)ROWS; y++) {
    for (uint32_t left = valid[y]; left != 0; left &= left - 1U) {
      const int32_t x = __builtin_ctz(left);
      const int32_t distance = (y - row) * (y - row) + (x - column) * (x - column);
      if (distance <= least) {
        sum = distance < least ? at(celsius, y, x) : sum + at(celsius, y, x);
        count = distance < least ? 1 : count + 1;
        least = distance;
      }
    }
  }
  return sum / (float)count;
}

static float estimate(const float celsius[PIXELS], const uint32_t valid[ROWS], int32_t row, int32_t column) {
  /* Of each pair of opposite neighbours the first; straight ones before diagonal ones. */
  static const int8_t steps[2][2][2] = {{{-1, 0}, {0, -1}}, {{-1, -1}, {-1, 1}}};
  float around = 0.0F;
  int32_t neighbours = 0;
  for (uint32_t group = 0; group < 2; group++) {
    float sum = 0.0F;
    int32_t pairs = 0;
    for (uint32_t pair = 0; pair < 2; pair++) {
      const int32_t y = steps[group][pair][0];
      const int32_t x = steps[group][pair][1];
      const bool first = is_valid(valid, row + y, column + x);
      const bool second = is_valid(valid, row - y, column - x);
      const float one = first ? at(celsius, row + y, column + x) : 0.0F;
      const float other = second ? at(celsius, row - y, column - x) : 0.0F;
      if (first && second) {
        sum += (one + other) / 2.0F;
        pairs++;
      }
      around += one + other;
      neighbours += (first ? 1 : 0) + (second ? 1 : 0);
    }
    if (pairs) {
      return sum / (float)pairs;
    }
  }
  return neighbours ? around / (float)neighbours : nearest(celsius, valid, row, column);
}

enum status interpolate_invalid(float celsius[PIXELS], const uint32_t valid[ROWS]) {
  uint32_t any = 0;
  for (uint32_t row = 0; row < ROWS; row++) {
    any |= valid[row];
  }
  if (!any) {
    return STATUS_UNDECODABLE;
  }
  for (uint32_t row = 0; row < ROWS; row++) {
    for (uint32_t column = 0; valid[row] != UINT32_MAX && column < COLUMNS; column++) {
      if (!(valid[row] >> column & 1U)) {
        celsius[row * COLUMNS + column] = estimate(celsius, valid, (int32_t)row, (int32_t)column);
      }
    }
  }
  return STATUS_OK;
}
