/* Counts are whole; float32(pixels not above) * (1 / float32(pixels)); between tiles (a (1 - u) + b u) (1 - v) + (c (1
   - u) + d u) v in float32. */
#include "equalise.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "float32.h"
#include "picture.h"

#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
#include <arm_acle.h>
#endif

/* Held within 0 and EQUALISE_COUNTS - 1. */
static inline uint32_t held(int32_t place) {
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
  return __usat(place, 9);
#else
  return place < 0 ? 0U : place >= (int32_t)EQUALISE_COUNTS ? EQUALISE_COUNTS - 1U : (uint32_t)place;
#endif
}

static inline uint32_t place_of(float value, float inverse, uint32_t base) {
  return held((int32_t)((uint32_t)float32_bits(value * inverse + FLOAT32_ROUNDER) - base));
}

/* Shares of pixels that are not above each level, as bits; gives the number of pixels. */
static uint32_t add_up(const uint16_t *counts, uint32_t levels, uint32_t *table) {
  uint32_t pixels = 0;
  for (uint32_t level = 0; level < levels; level++) {
    pixels += counts[level];
  }
  const float share = 1.0F / (float)(pixels > 0 ? pixels : 1U);
  uint32_t below = 0;
  for (uint32_t level = 0; level < levels; level++) {
    below += counts[level];
    table[level] = (uint32_t)float32_bits((float)below * share);
  }
  return pixels;
}

/* Place two words at once. */
static inline void put(uint32_t *words, uint32_t one, uint32_t other) {
  picture_barrier();
  words[0] = one;
  words[1] = other;
  picture_barrier();
}

/* Places in the table of four values, counted. */
static inline void place_four(const float *values, float inverse, uint32_t base, uint16_t *counts, uint32_t *places) {
  const uint32_t one = place_of(values[0], inverse, base), other = place_of(values[1], inverse, base);
  const uint32_t third = place_of(values[2], inverse, base), last = place_of(values[3], inverse, base);
  put(places, one, other);
  counts[one]++;
  counts[other]++;
  put(places + 2, third, last);
  counts[third]++;
  counts[last]++;
}

/* A whole picture, all of it between the lowest and highest level; false where it is not. Places of the table stand in
   the output until all are known. */
static bool within(const float *values, uint32_t pixels, const struct levels *levels, uint16_t *counts, uint32_t *table,
                   uint32_t *output) {
  const float inverse = levels->inverse;
  const uint32_t base = (uint32_t)levels->base - 1U;
  picture_clear((uint32_t *)(void *)counts, (levels->count + 2U) / 2U);
  uint32_t *place = output;
  for (const float *end = values + pixels / 4U * 4U; values != end; values += 4, place += 4) {
    place_four(values, inverse, base, counts, place);
  }
  for (uint32_t i = 0; i < pixels % 4U; i++) {
    place[i] = place_of(values[i], inverse, base);
    counts[place[i]]++;
  }
  /* Level 0 is counted at place 1: at place 0 is what is below, or no value. */
  if (add_up(counts + 1, levels->count, table + 1) != pixels) {
    return false;
  }
  for (const uint32_t *end = output + pixels / 4U * 4U; output != end; output += 4) {
    picture_barrier();
    const uint32_t one = output[0], other = output[1], third = output[2], last = output[3];
    picture_barrier();
    put(output, table[one], table[other]);
    put(output + 2, table[third], table[last]);
  }
  for (uint32_t i = 0; i < pixels % 4U; i++) {
    output[i] = table[output[i]];
  }
  return true;
}

/* Take what is above the limit from each level and give it to all. */
static void clip(uint16_t *counts, uint32_t levels, uint32_t limit) {
  uint32_t excess = 0;
  for (uint32_t level = 0; level < levels; level++) {
    if (counts[level] > limit) {
      excess += counts[level] - limit;
      counts[level] = (uint16_t)limit;
    }
  }
  const uint32_t left = excess % levels;
  const uint32_t apart = left > 0 && levels / left > 1U ? levels / left : 1U;
  for (uint32_t level = 0; level < levels; level++) {
    const bool more = level % apart == 0 && level / apart < left;
    counts[level] = (uint16_t)(counts[level] + excess / levels + (more ? 1U : 0U));
  }
}

/* The table of a tile. */
static void tile(const struct equalise_parameters *parameters, uint32_t row, uint32_t column, const uint32_t *places,
                 uint16_t *counts, uint32_t *table) {
  const uint32_t levels = parameters->levels.count;
  const uint16_t *down = parameters->down.edges + row, *along = parameters->along.edges + column;
  memset(counts, 0, (levels + 1U) * sizeof *counts);
  for (uint32_t y = down[0]; y < down[1]; y++) {
    for (uint32_t x = along[0]; x < along[1]; x++) {
      counts[places[y * parameters->columns + x]]++;
    }
  }
  const uint32_t limit = parameters->limits[row * parameters->tile_columns + column];
  if (limit > 0) {
    clip(counts, levels, limit);
  }
  (void)add_up(counts, levels, table);
}

static float share_at(const uint32_t *table, uint32_t place) {
  return float32_of_bits((int32_t)table[place]);
}

/* A pixel between the tables of four tiles. */
static float between(const struct equalise_parameters *parameters, const uint32_t *tables, uint32_t row,
                     uint32_t column, uint32_t level) {
  const struct equalise_blend *down = &parameters->down, *along = &parameters->along;
  const uint32_t levels = parameters->levels.count, wide = levels * parameters->tile_columns;
  const uint32_t *upper = tables + (size_t)down->first[row] * wide + level;
  if (parameters->tile_rows == 1U && parameters->tile_columns == 1U) {
    return share_at(upper, 0);
  }
  const uint32_t *lower = tables + (size_t)down->second[row] * wide + level;
  const uint32_t left = along->first[column] * levels, right = along->second[column] * levels;
  const float u = along->share[column], v = down->share[row];
  const float above = share_at(upper, left) * (1.0F - u) + share_at(upper, right) * u;
  const float below = share_at(lower, left) * (1.0F - u) + share_at(lower, right) * u;
  return above * (1.0F - v) + below * v;
}

static uint16_t apply(const struct work *work) {
  const struct equalise_parameters *parameters = work->call->parameters;
  const struct levels *levels = &parameters->levels;
  const uint32_t rows = parameters->rows, columns = parameters->columns, pixels = rows * columns;
  const uint32_t tiles = (uint32_t)parameters->tile_rows * parameters->tile_columns;
  const float *values = stage_input(work, 0);
  uint32_t *output = (uint32_t *)(void *)stage_output(work);
  uint16_t *counts = stage_scratch(work);
  uint32_t *tables = (uint32_t *)(void *)(counts + EQUALISE_COUNTS);
  if (tiles == 1U && parameters->limits[0] == 0 && within(values, pixels, levels, counts, tables, output)) {
    return 0;
  }
  for (uint32_t i = 0; i < pixels; i++) {
    output[i] = levels_of(levels, values[i]);
  }
  for (uint32_t i = 0; i < tiles; i++) {
    tile(parameters, i / parameters->tile_columns, i % parameters->tile_columns, output, counts,
         tables + (size_t)i * levels->count);
  }
  for (uint32_t row = 0; row < rows; row++) {
    for (uint32_t column = 0; column < columns; column++, output++) {
      const uint32_t level = *output;
      const float share = level == levels->count ? float32_nothing() : between(parameters, tables, row, column, level);
      *output = (uint32_t)float32_bits(share);
    }
  }
  return 0;
}

const struct stage equalise_stage = {.name = "equalise", .kind = STAGE_ELEMENTWISE, .apply = apply};
