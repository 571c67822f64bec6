/* Copies, 0 and 1. Otsu: bin = whole part of (x - least) * (256 / (greatest - least)), 255 at most; score = (n1 * n2) *
   d * d with d the difference of the groups' mean bins; the first of the greatest. */
#include "segment.h"

#include <stddef.h>
#include <string.h>

#include "float32.h"
#include "labels.h"
#include "picture.h"

#define LAST_BIN (SEGMENT_BINS - 1U)
#define BINS_BITS 0x43800000U /* of the float 256 */

/* Least and greatest finite number. */
static void range_of(const float *values, uint32_t count, float *least, float *greatest) {
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
  /* Less this, neither zero becomes a negative one. */
  *least = low == 0.0F ? -0.0F : low;
  *greatest = high;
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

/* Mask of what is above Otsu's threshold. */
static void above_otsu(const float *values, uint32_t count, uint32_t *counts, uint8_t *mask) {
  float least, greatest;
  range_of(values, count, &least, &greatest);
  const float scale = (float)SEGMENT_BINS / (greatest - least);
  if (!(scale > 0.0F) || !float32_is_finite(scale)) {
    memset(mask, 0, count);
    return;
  }
  picture_clear(counts, SEGMENT_BINS);
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
    mask[i] = (uint8_t)bin;
  }
  const uint32_t threshold = otsu(counts);
  for (uint32_t i = 0; i < count; i++) {
    mask[i] = mask[i] > threshold;
  }
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

/* Give the label of the largest part. */
static uint32_t largest_of(const uint8_t *mask, const uint16_t *labels, uint16_t *areas, uint32_t count) {
  uint32_t largest = 0, most = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (mask[i] == 0) {
      continue;
    }
    /* The first place of a part is its label. */
    const uint32_t label = labels[i], area = label == i ? 1U : areas[label] + 1U;
    areas[label] = (uint16_t)area;
    if (area > most || (area == most && label < largest)) {
      most = area;
      largest = label;
    }
  }
  return largest;
}

static uint16_t apply(const struct work *work) {
  const struct segment_parameters *parameters = work->call->parameters;
  const uint32_t count = (uint32_t)parameters->rows * parameters->columns;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  uint32_t *counts = stage_scratch(work);
  uint16_t *labels = (uint16_t *)(void *)(counts + SEGMENT_BINS);
  uint16_t *areas = labels + count;
  uint8_t *mask = (uint8_t *)(areas + count);
  if (parameters->otsu) {
    above_otsu(values, count, counts, mask);
  } else {
    for (uint32_t i = 0; i < count; i++) {
      mask[i] = values[i] > parameters->threshold && float32_is_finite(values[i]);
    }
  }
  for (uint32_t i = 0; i < 2U * parameters->opening; i++) {
    spread(mask, (uint8_t *)labels, parameters->rows, parameters->columns, i >= parameters->opening);
  }
  uint32_t largest = 0;
  if (parameters->largest) {
    labels_make(mask, parameters->rows, parameters->columns, parameters->diagonal, labels);
    largest = largest_of(mask, labels, areas, count);
  }
  const float outside = parameters->picture ? float32_nothing() : 0.0F;
  for (uint32_t i = 0; i < count; i++) {
    const bool within = mask[i] != 0 && (!parameters->largest || labels[i] == largest);
    output[i] = !within ? outside : parameters->picture ? values[i] : 1.0F;
  }
  return 0;
}

const struct stage segment_stage = {.name = "segment", .kind = STAGE_ELEMENTWISE, .apply = apply};
