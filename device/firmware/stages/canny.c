/* x and y of sobel before the factor 0.125; x * x + y * y in float32; along a row where |y| < |x| * tangent, down where
   |y| > |x| * cotangent, else diagonal. Greater than the pixel before, and not less than the one behind (of diagonals
   greater than both). */
#include "canny.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "picture.h"

/* What a pixel is, one after another: none or of a direction, then none, weak or strong. */
enum mark { NONE, HORIZONTAL, VERTICAL, RISING, FALLING, WEAK, STRONG };

static uint8_t direction_of(float along, float down, const struct canny_parameters *parameters) {
  const float across = fabsf(along), upright = fabsf(down);
  if (upright < across * parameters->tangent) {
    return HORIZONTAL;
  }
  if (upright > across * parameters->cotangent) {
    return VERTICAL;
  }
  return (along < 0.0F) != (down < 0.0F) ? FALLING : RISING;
}

/* Columns of three pixels. */
struct column {
  float sum, apart;
};

static inline struct column column_of(const float *const lines[3], uint32_t at) {
  const float above = lines[0][at], here = lines[1][at], below = lines[2][at];
  return (struct column){.sum = (above + here) + (here + below), .apart = below - above};
}

/* Squared slopes of a row, and directions where they are above the low threshold. */
static void slopes(const float *const lines[3], const struct canny_parameters *parameters, float *steep,
                   uint8_t *marks) {
  const uint32_t columns = parameters->columns;
  struct column left = column_of(lines, 0), here = left;
  for (uint32_t column = 0; column < columns; column++) {
    const struct column right = column + 1U < columns ? column_of(lines, column + 1U) : here;
    const float along = right.sum - left.sum;
    const float down = (left.apart + here.apart) + (here.apart + right.apart);
    const float square = along * along + down * down;
    steep[column] = square;
    marks[column] = square > parameters->low ? direction_of(along, down, parameters) : NONE;
    left = here;
    here = right;
  }
}

/* The squared slope of a neighbour; 0 beyond the picture. */
static float beside(const float *steep, const struct canny_parameters *parameters, int32_t row, int32_t column) {
  const bool within = row >= 0 && row < parameters->rows && column >= 0 && column < parameters->columns;
  return within ? steep[row * parameters->columns + column] : 0.0F;
}

static bool is_crest(const float *steep, const struct canny_parameters *parameters, uint32_t row, uint32_t column,
                     uint8_t direction) {
  static const int8_t before[][2] = {
      [HORIZONTAL] = {0, -1}, [VERTICAL] = {-1, 0}, [RISING] = {-1, -1}, [FALLING] = {-1, 1}};
  const int32_t down = before[direction][0], along = before[direction][1];
  const int32_t place = (int32_t)(row * parameters->columns + column);
  const int32_t apart = down * parameters->columns + along;
  const bool inner = row > 0 && row + 1U < parameters->rows && column > 0 && column + 1U < parameters->columns;
  const float one =
      inner ? steep[place + apart] : beside(steep, parameters, (int32_t)row + down, (int32_t)column + along);
  const float other =
      inner ? steep[place - apart] : beside(steep, parameters, (int32_t)row - down, (int32_t)column - along);
  const float here = steep[place];
  return here > one && (direction == RISING || direction == FALLING ? here > other : here >= other);
}

/* Edges that are connected with a strong one become strong. */
static void follow(uint8_t *marks, const struct canny_parameters *parameters, uint16_t *waiting, uint32_t count) {
  const uint32_t rows = parameters->rows, columns = parameters->columns;
  while (count > 0) {
    const uint32_t place = waiting[--count];
    const uint32_t row = place / columns, column = place % columns;
    const uint32_t left = column > 0 ? column - 1U : 0U, right = column + 1U < columns ? column + 1U : column;
    for (uint32_t y = row > 0 ? row - 1U : 0U; y <= row + 1U && y < rows; y++) {
      for (uint32_t x = left; x <= right; x++) {
        if (marks[y * columns + x] == WEAK) {
          marks[y * columns + x] = STRONG;
          waiting[count++] = (uint16_t)(y * columns + x);
        }
      }
    }
  }
}

static uint16_t apply(const struct work *work) {
  const struct canny_parameters *parameters = work->call->parameters;
  const struct picture picture = {stage_input(work, 0), parameters->rows, parameters->columns};
  const uint32_t rows = picture.rows, columns = picture.columns, pixels = rows * columns;
  float *steep = stage_output(work);
  uint16_t *waiting = stage_scratch(work);
  uint8_t *marks = (uint8_t *)(waiting + pixels);
  for (uint32_t row = 0; row < rows; row++) {
    const float *const lines[3] = {picture_row(&picture, (int32_t)row - 1), picture_row(&picture, (int32_t)row),
                                   picture_row(&picture, (int32_t)row + 1)};
    slopes(lines, parameters, steep + (size_t)row * columns, marks + (size_t)row * columns);
  }
  uint32_t strong = 0, place = 0;
  for (uint32_t row = 0; row < rows; row++) {
    for (uint32_t column = 0; column < columns; column++, place++) {
      if (marks[place] == NONE) {
        continue;
      }
      if (!is_crest(steep, parameters, row, column, marks[place])) {
        marks[place] = NONE;
      } else if (steep[place] > parameters->high) {
        marks[place] = STRONG;
        waiting[strong++] = (uint16_t)place;
      } else {
        marks[place] = WEAK;
      }
    }
  }
  follow(marks, parameters, waiting, strong);
  for (uint32_t i = 0; i < pixels; i++) {
    steep[i] = marks[i] == STRONG ? 1.0F : 0.0F;
  }
  return 0;
}

const struct stage canny_stage = {.name = "canny", .kind = STAGE_ELEMENTWISE, .apply = apply};
