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

/* Shares of pixels that are not above each level; gives the number of pixels. */
static uint32_t add_up(const uint16_t *counts, uint32_t levels, float *table) {
  uint32_t pixels = 0;
  for (uint32_t level = 0; level < levels; level++) {
    pixels += counts[level];
  }
  const float share = 1.0F / (float)(pixels > 0 ? pixels : 1U);
  uint32_t below = 0;
  for (uint32_t level = 0; level < levels; level++) {
    below += counts[level];
    table[level] = (float)below * share;
  }
  return pixels;
}

/* A whole picture, all of it between the lowest and highest level; false where it is not. */
static bool within(const float *values, uint32_t pixels, const struct levels *levels, uint16_t *counts, float *table,
                   uint16_t *places, float *output) {
  const float inverse = levels->inverse;
  const uint32_t base = (uint32_t)levels->base - 1U;
  picture_clear((uint32_t *)(void *)counts, EQUALISE_COUNTS / 2U);
  uint16_t *place = places;
  for (const float *end = values + pixels / 4U * 4U; values != end; values += 4, place += 4) {
    const uint32_t one = place_of(values[0], inverse, base), other = place_of(values[1], inverse, base);
    place[0] = (uint16_t)one;
    counts[one]++;
    place[1] = (uint16_t)other;
    counts[other]++;
    const uint32_t third = place_of(values[2], inverse, base), last = place_of(values[3], inverse, base);
    place[2] = (uint16_t)third;
    counts[third]++;
    place[3] = (uint16_t)last;
    counts[last]++;
  }
  for (uint32_t i = 0; i < pixels % 4U; i++) {
    place[i] = (uint16_t)place_of(values[i], inverse, base);
    counts[place[i]]++;
  }
  /* Level 0 is counted at place 1: at place 0 is what is below, or no value. */
  if (add_up(counts + 1, levels->count, table + 1) != pixels) {
    return false;
  }
  for (uint32_t fours = pixels / 4U; fours > 0; fours--, places += 4, output += 4) {
    output[0] = table[places[0]];
    output[1] = table[places[1]];
    output[2] = table[places[2]];
    output[3] = table[places[3]];
  }
  for (uint32_t i = 0; i < pixels % 4U; i++) {
    output[i] = table[places[i]];
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
static void tile(const struct equalise_parameters *parameters, uint32_t row, uint32_t column, const uint16_t *places,
                 uint16_t *counts, float *table) {
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

/* A pixel between the tables of four tiles. */
static float between(const struct equalise_parameters *parameters, const float *tables, uint32_t row, uint32_t column,
                     uint32_t level) {
  const struct equalise_blend *down = &parameters->down, *along = &parameters->along;
  const uint32_t levels = parameters->levels.count, wide = levels * parameters->tile_columns;
  const float *upper = tables + (size_t)down->first[row] * wide + level;
  if (parameters->tile_rows == 1U && parameters->tile_columns == 1U) {
    return *upper;
  }
  const float *lower = tables + (size_t)down->second[row] * wide + level;
  const uint32_t left = along->first[column] * levels, right = along->second[column] * levels;
  const float u = along->share[column], v = down->share[row];
  const float above = upper[left] * (1.0F - u) + upper[right] * u;
  const float below = lower[left] * (1.0F - u) + lower[right] * u;
  return above * (1.0F - v) + below * v;
}

static uint16_t apply(const struct work *work) {
  const struct equalise_parameters *parameters = work->call->parameters;
  const struct levels *levels = &parameters->levels;
  const uint32_t rows = parameters->rows, columns = parameters->columns, pixels = rows * columns;
  const uint32_t tiles = (uint32_t)parameters->tile_rows * parameters->tile_columns;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  uint16_t *counts = stage_scratch(work);
  float *tables = (float *)(void *)(counts + EQUALISE_COUNTS);
  uint16_t *places = (uint16_t *)(void *)(tables + (size_t)tiles * levels->count + 1U);
  if (tiles == 1U && parameters->limits[0] == 0 && within(values, pixels, levels, counts, tables, places, output)) {
    return 0;
  }
  for (uint32_t i = 0; i < pixels; i++) {
    places[i] = (uint16_t)levels_of(levels, values[i]);
  }
  for (uint32_t i = 0; i < tiles; i++) {
    tile(parameters, i / parameters->tile_columns, i % parameters->tile_columns, places, counts,
         tables + (size_t)i * levels->count);
  }
  for (uint32_t row = 0; row < rows; row++) {
    for (uint32_t column = 0; column < columns; column++) {
      const uint32_t level = *places++;
      *output++ = level == levels->count ? float32_nothing() : between(parameters, tables, row, column, level);
    }
  }
  return 0;
}

const struct stage equalise_stage = {.name = "equalise", .kind = STAGE_ELEMENTWISE, .apply = apply};
