/* Copies, 0 and 1. Otsu: bin = whole part of (x - least) * (256 / (greatest - least)), 255 at most; score = (n1 * n2) *
   d * d with d the difference of the groups' mean bins; the first of the greatest. */
#include "segment.h"

#include <stddef.h>
#include <string.h>

#include "float32.h"
#include "picture.h"

#define LAST_BIN (SEGMENT_BINS - 1U)
#define BINS_BITS 0x43800000U /* of the float 256 */
#define GREATEST 0x7F7FFFFF   /* bits of the greatest finite number */

/* Between which finite numbers they are, and whether all are finite. */
struct range {
  float least, greatest;
  bool whole;
};

static struct range finite_range(const float *values, uint32_t count) {
  float low = float32_of_bits(0x7F800000), high = -low;
  for (const float *end = values + count; values != end; values++) {
    const float value = *values;
    if (value < low && float32_is_finite(value)) {
      low = value;
    }
    if (value > high && float32_is_finite(value)) {
      high = value;
    }
  }
  return (struct range){low, high, false};
}

/* By their bits, which are in the order of the floats once all but the sign is turned where it is negative. */
static struct range range_of(const float *values, uint32_t count) {
  int32_t low = INT32_MAX, high = INT32_MIN;
  for (uint32_t i = 0; i < count; i++) {
    const int32_t bits = float32_bits(values[i]);
    const int32_t key = bits ^ (int32_t)((0U - ((uint32_t)bits >> 31)) >> 1);
    if (key < low) {
      low = key;
    }
    if (key > high) {
      high = key;
    }
  }
  if (high > GREATEST || low < -GREATEST - 1) {
    return finite_range(values, count);
  }
  return (struct range){float32_of_bits(low < 0 ? low ^ INT32_MAX : low),
                        float32_of_bits(high < 0 ? high ^ INT32_MAX : high), true};
}

static uint32_t otsu(const uint32_t *counts) {
  uint32_t all = 0, all_sum = 0, below = 0, sum = 0, found = 0;
  float best = -1.0F;
  for (uint32_t bin = 0; bin < SEGMENT_BINS; bin++) {
    all += counts[bin];
    all_sum += counts[bin] * bin;
  }
  for (uint32_t bin = 0; bin < LAST_BIN; bin++) {
    if (counts[bin] == 0) {
      continue;
    }
    below += counts[bin];
    sum += counts[bin] * bin;
    if (below == all) {
      break;
    }
    const float one = (float)below, other = (float)(all - below);
    const float apart = (float)sum / one - (float)(all_sum - sum) / other;
    const float score = (one * other) * (apart * apart);
    if (score > best) {
      best = score;
      found = bin;
    }
  }
  return found;
}

/* Counts of bins, and the bin of each number; 0 of one that is not finite. */
static void count_bins(const float *values, uint32_t count, const struct range *range, float scale, uint32_t *counts,
                       uint8_t *bins) {
  const float least = range->least;
  picture_clear(counts, SEGMENT_BINS);
  if (range->whole) {
    for (uint32_t i = 0; i < count; i++) {
      uint32_t bin = (uint32_t)((values[i] - least) * scale);
      bin = bin > LAST_BIN ? LAST_BIN : bin;
      counts[bin]++;
      bins[i] = (uint8_t)bin;
    }
    return;
  }
  /* By the bits of what is not negative: NaN and infinity are greater than all bins, as is -infinity. */
  for (uint32_t i = 0; i < count; i++) {
    const float place = (values[i] - least) * scale;
    uint32_t bin = 0;
    if ((uint32_t)float32_bits(place) < BINS_BITS) {
      bin = (uint32_t)place;
      counts[bin]++;
    } else if (float32_is_finite(values[i])) {
      bin = LAST_BIN;
      counts[bin]++;
    }
    bins[i] = (uint8_t)bin;
  }
}

/* Bytes to 1 where they are above a threshold of up to 254, else 0: four at a time, by what carries out of the highest
   bit of each when all that lacks to 255 is added. */
static void compare(uint8_t *bytes, uint32_t count, uint32_t threshold) {
  const uint32_t lack = (LAST_BIN - threshold) * 0x01010101U, low = lack & 0x7F7F7F7FU;
  uint32_t four;
  uint32_t i = 0;
  for (; i + sizeof four <= count; i += (uint32_t)sizeof four) {
    memcpy(&four, bytes + i, sizeof four);
    const uint32_t sum = (four & 0x7F7F7F7FU) + low;
    four = (((four & lack) | ((four | lack) & sum)) >> 7) & 0x01010101U;
    memcpy(bytes + i, &four, sizeof four);
  }
  for (; i < count; i++) {
    bytes[i] = bytes[i] > threshold;
  }
}

/* Mask of what is above Otsu's threshold. */
static void above_otsu(const float *values, uint32_t count, uint32_t *counts, uint8_t *mask) {
  struct range range = range_of(values, count);
  const float scale = (float)SEGMENT_BINS / (range.greatest - range.least);
  if (!(scale > 0.0F) || !float32_is_finite(scale)) {
    memset(mask, 0, count);
    return;
  }
  /* Less a negative zero, neither zero becomes a negative one. */
  range.least = range.least == 0.0F ? -0.0F : range.least;
  count_bins(values, count, &range, scale, counts, mask);
  compare(mask, count, otsu(counts));
}

/* Shrink or grow by 3 x 3 pixels, edges repeated; `other` is room for another mask. */
static void spread(uint8_t *mask, uint8_t *other, uint32_t rows, uint32_t columns, bool grow) {
  for (uint32_t row = 0; row < rows; row++) {
    const uint8_t *above = mask + (size_t)picture_place((int32_t)row - 1, rows) * columns;
    const uint8_t *here = mask + (size_t)row * columns;
    const uint8_t *below = mask + (size_t)picture_place((int32_t)row + 1, rows) * columns;
    for (uint32_t column = 0; column < columns; column++) {
      const uint32_t pixels = (uint32_t)above[column] + here[column] + below[column];
      other[row * columns + column] = grow ? pixels > 0 : pixels == 3U;
    }
  }
  for (uint32_t row = 0; row < rows; row++) {
    const uint8_t *line = other + (size_t)row * columns;
    for (uint32_t column = 0; column < columns; column++) {
      const uint32_t pixels = (uint32_t)line[picture_place((int32_t)column - 1, columns)] + line[column] +
                              line[picture_place((int32_t)column + 1, columns)];
      mask[row * columns + column] = grow ? pixels > 0 : pixels == 3U;
    }
  }
}

/* The root of the largest part, the first of equal ones; 0 where there is none. */
static uint32_t largest_of(const struct run *runs, uint32_t count) {
  uint32_t largest = 0;
  for (uint32_t i = 1; i < count; i++) {
    if (runs[i].area > runs[largest].area) {
      largest = i;
    }
  }
  return largest;
}

/* Write what is within runs of a root, on what is outside. */
static void fill(const struct run *runs, uint32_t count, uint32_t root, const float *values, float *output) {
  for (uint32_t i = 0; i < count; i++) {
    if (runs[i].root != root) {
      continue;
    }
    for (uint32_t place = runs[i].first; place < runs[i].end; place++) {
      output[place] = values != NULL ? values[place] : 1.0F;
    }
  }
}

static uint16_t apply(const struct work *work) {
  const struct segment_parameters *parameters = work->call->parameters;
  const uint32_t rows = parameters->rows, columns = parameters->columns, count = rows * columns;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  uint32_t *counts = stage_scratch(work);
  struct run *runs = (struct run *)(void *)(counts + SEGMENT_BINS);
  uint8_t *mask = (uint8_t *)(runs + (size_t)rows * ((columns + 1U) / 2U));
  if (parameters->otsu) {
    above_otsu(values, count, counts, mask);
  } else {
    for (uint32_t i = 0; i < count; i++) {
      mask[i] = values[i] > parameters->threshold && float32_is_finite(values[i]);
    }
  }
  for (uint32_t i = 0; i < 2U * parameters->opening; i++) {
    spread(mask, (uint8_t *)runs, rows, columns, i >= parameters->opening);
  }
  const float outside = parameters->picture ? float32_nothing() : 0.0F;
  if (!parameters->largest) {
    for (uint32_t i = 0; i < count; i++) {
      output[i] = mask[i] == 0 ? outside : parameters->picture ? values[i] : 1.0F;
    }
    return 0;
  }
  const uint32_t found = runs_make(mask, rows, columns, parameters->diagonal, runs);
  for (uint32_t i = 0; i < count; i++) {
    output[i] = outside;
  }
  fill(runs, found, largest_of(runs, found), parameters->picture ? values : NULL, output);
  return 0;
}

const struct stage segment_stage = {.name = "segment", .kind = STAGE_ELEMENTWISE, .apply = apply};
