/* float32; each column s = ((above + below) + here) + here and d = below - above; x = s right - s left, y = ((d left +
   d right) + d) + d; magnitude sqrt(x * x + y * y); times 0.125. */
#include "sobel.h"

#include <math.h>

#include "picture.h"

/* A column of three pixels. */
struct column {
  float sum, apart;
};

static inline struct column column_of(float above, float here, float below) {
  return (struct column){.sum = ((above + below) + here) + here, .apart = below - above};
}

static inline float steep(struct column left, struct column here, struct column right, enum sobel_gives give) {
  const float along = right.sum - left.sum;
  const float down = ((left.apart + right.apart) + here.apart) + here.apart;
  switch (give) {
    case SOBEL_X:
      return along * 0.125F;
    case SOBEL_Y:
      return down * 0.125F;
    case SOBEL_MAGNITUDE:
      break;
  }
  return sqrtf(along * along + down * down) * 0.125F;
}

static inline void line_of(const struct picture *picture, uint32_t row, enum sobel_gives give, float *output) {
  const float *above = picture_row(picture, (int32_t)row - 1);
  const float *here = picture_row(picture, (int32_t)row);
  const float *below = picture_row(picture, (int32_t)row + 1);
  struct column before = column_of(*above++, *here++, *below++);
  struct column middle = before;
  PICTURE_TWO_AT_A_TIME
  for (uint32_t pairs = (picture->columns - 1U) / 2U; pairs > 0; pairs--, above += 2, here += 2, below += 2) {
    const struct column next = column_of(above[0], here[0], below[0]);
    const struct column last = column_of(above[1], here[1], below[1]);
    output[0] = steep(before, middle, next, give);
    output[1] = steep(middle, next, last, give);
    output += 2;
    before = next;
    middle = last;
  }
  if (picture->columns % 2U == 0) {
    const struct column next = column_of(*above, *here, *below);
    *output++ = steep(before, middle, next, give);
    before = middle;
    middle = next;
  }
  *output = steep(before, middle, middle, give);
}

static uint16_t apply(const struct work *work) {
  const struct sobel_parameters *parameters = work->call->parameters;
  const struct picture picture = {stage_input(work, 0), parameters->rows, parameters->columns};
  float *output = stage_output(work);
  for (uint32_t row = 0; row < picture.rows; row++, output += picture.columns) {
    /* Each a loop of its own, without a choice within it. */
    if (parameters->give == SOBEL_MAGNITUDE) {
      line_of(&picture, row, SOBEL_MAGNITUDE, output);
    } else if (parameters->give == SOBEL_X) {
      line_of(&picture, row, SOBEL_X, output);
    } else {
      line_of(&picture, row, SOBEL_Y, output);
    }
  }
  return 0;
}

const struct stage sobel_stage = {.name = "sobel", .kind = STAGE_ELEMENTWISE, .apply = apply};
