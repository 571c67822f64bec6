/* float32; down columns, then along rows, each (middle + (nearest pair) * w1) + (next pair) * w2; times the scale.
   Where that gives NaN and the pixel has a value: the sum of value * weight over the sum of weights of those that have
   one. */
#include "gaussian.h"

#include "float32.h"
#include "picture.h"

static void down(const struct picture *picture, uint32_t row, const struct gaussian_parameters *parameters,
                 float *line) {
  const int32_t place = (int32_t)row;
  const uint32_t columns = picture->columns;
  const float *above = picture_row(picture, place - 1);
  const float *here = picture_row(picture, place);
  const float *below = picture_row(picture, place + 1);
  const float near = parameters->along[1];
  for (uint32_t eights = columns / 8U; eights > 0; eights--, above += 8, here += 8, below += 8, line += 8) {
    line[0] = here[0] + (above[0] + below[0]) * near;
    line[1] = here[1] + (above[1] + below[1]) * near;
    line[2] = here[2] + (above[2] + below[2]) * near;
    line[3] = here[3] + (above[3] + below[3]) * near;
    line[4] = here[4] + (above[4] + below[4]) * near;
    line[5] = here[5] + (above[5] + below[5]) * near;
    line[6] = here[6] + (above[6] + below[6]) * near;
    line[7] = here[7] + (above[7] + below[7]) * near;
  }
  for (uint32_t i = 0; i < columns % 8U; i++) {
    line[i] = here[i] + (above[i] + below[i]) * near;
  }
}

static void down_farther(const struct picture *picture, uint32_t row, const struct gaussian_parameters *parameters,
                         float *line) {
  const float *above = picture_row(picture, (int32_t)row - 2);
  const float *below = picture_row(picture, (int32_t)row + 2);
  const float far = parameters->along[2];
  for (uint32_t column = 0; column < picture->columns; column++) {
    line[column] += (above[column] + below[column]) * far;
  }
}

/* A line begins one pixel beyond the edge; gives NaN if any result is. */
static float across(const float *line, uint32_t columns, float near, float scale, float *output) {
  float check = 0.0F, left = line[0], here = line[1];
  line += 2;
  for (uint32_t fours = columns / 4U; fours > 0; fours--, line += 4, output += 4) {
    const float second = line[0], third = line[1], fourth = line[2], next = line[3];
    const float one = (here + (left + second) * near) * scale;
    const float two = (second + (here + third) * near) * scale;
    output[0] = one;
    output[1] = two;
    check += one;
    check += two;
    const float three = (third + (second + fourth) * near) * scale;
    const float four = (fourth + (third + next) * near) * scale;
    output[2] = three;
    output[3] = four;
    check += three;
    check += four;
    left = fourth;
    here = next;
  }
  for (uint32_t i = 0; i < columns % 4U; i++) {
    const float one = (here + (left + line[i]) * near) * scale;
    output[i] = one;
    check += one;
    left = here;
    here = line[i];
  }
  return check;
}

/* The same with two pixels beyond each edge. */
static float across_farther(const float *line, uint32_t columns, const struct gaussian_parameters *parameters,
                            float *output) {
  float check = 0.0F;
  for (uint32_t column = 0; column < columns; column++, line++) {
    const float nearest = line[2] + (line[1] + line[3]) * parameters->along[1];
    output[column] = (nearest + (line[0] + line[4]) * parameters->along[2]) * parameters->scale;
    check += output[column];
  }
  return check;
}

static float mended(const struct picture *picture, uint32_t row, uint32_t column,
                    const struct gaussian_parameters *parameters) {
  const int32_t radius = parameters->radius;
  float total = 0.0F, weight = 0.0F;
  for (int32_t down_by = -radius; down_by <= radius; down_by++) {
    for (int32_t along_by = -radius; along_by <= radius; along_by++) {
      const float beside = picture_at(picture, (int32_t)row + down_by, (int32_t)column + along_by);
      if (!float32_is_nothing(beside)) {
        const float share = parameters->along[down_by < 0 ? -down_by : down_by] *
                            parameters->along[along_by < 0 ? -along_by : along_by];
        total += beside * share;
        weight += share;
      }
    }
  }
  return total / weight;
}

static uint16_t apply(const struct work *work) {
  const struct gaussian_parameters *parameters = work->call->parameters;
  const struct picture picture = {stage_input(work, 0), parameters->rows, parameters->columns};
  const uint32_t radius = parameters->radius;
  float *output = stage_output(work);
  float *padded = stage_scratch(work);
  float *line = padded + radius;
  for (uint32_t row = 0; row < picture.rows; row++, output += picture.columns) {
    down(&picture, row, parameters, line);
    if (radius == 2U) {
      down_farther(&picture, row, parameters, line);
    }
    for (uint32_t beyond = 0; beyond < radius; beyond++) {
      padded[beyond] = line[0];
      line[picture.columns + beyond] = line[picture.columns - 1U];
    }
    const float check = radius == 2U ? across_farther(padded, picture.columns, parameters, output)
                                     : across(padded, picture.columns, parameters->along[1], parameters->scale, output);
    if (!float32_is_nothing(check)) {
      continue;
    }
    const float *values = picture_row(&picture, (int32_t)row);
    for (uint32_t column = 0; column < picture.columns; column++) {
      if (float32_is_nothing(output[column]) && !float32_is_nothing(values[column])) {
        output[column] = mended(&picture, row, column, parameters);
      }
    }
  }
  return 0;
}

const struct stage gaussian_stage = {.name = "gaussian", .kind = STAGE_ELEMENTWISE, .apply = apply};
