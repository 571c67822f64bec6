/* Counts, their sums and products are whole and brought to float32; homogeneity sums pairs i - j apart over 1 + (i -
   j)^2 in the order of |i - j|; one float32 division at the end, of energy after a root. */
#include "glcm.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "float32.h"
#include "picture.h"

#define MOST_LEVELS 16U

/* Most levels for which places of a table with one more for no value are bytes. */
#define MOST_IN_BYTES 15U

/* Count pairs in rows that lie an offset apart. Levels are rows of a table with one more for no value. */
static void count_pairs(const uint8_t *one, const uint8_t *other, uint32_t pairs, uint32_t width, uint32_t *counts) {
  uint32_t done = 0;
  if (width <= MOST_IN_BYTES + 1U) {
    /* Four at a time: none carries into the next. */
    for (uint32_t ones, others; done + sizeof ones <= pairs; done += (uint32_t)sizeof ones) {
      memcpy(&ones, one + done, sizeof ones);
      memcpy(&others, other + done, sizeof others);
      const uint32_t places = ones * width + others;
      counts[places & 0xFFU]++;
      counts[places >> 8 & 0xFFU]++;
      counts[places >> 16 & 0xFFU]++;
      counts[places >> 24]++;
    }
  }
  for (; done < pairs; done++) {
    counts[one[done] * width + other[done]]++;
  }
}

static void describe(const uint32_t *counts, uint32_t levels, float *output) {
  const uint32_t width = levels + 1U;
  uint32_t apart[MOST_LEVELS] = {0};
  uint32_t pairs = 0, sums = 0, products = 0, powers = 0;
  uint64_t squares = 0;
  for (uint32_t i = 0; i < levels; i++) {
    for (uint32_t j = 0; j <= i; j++) {
      const uint32_t both = counts[i * width + j] + (i == j ? 0U : counts[j * width + i]);
      if (both == 0) {
        continue;
      }
      pairs += both;
      apart[i - j] += both;
      sums += both * (i + j);
      products += both * i * j;
      powers += both * (i * i + j * j);
      /* Both ways: pairs of unlike levels stand in two places, those of like ones twice in one. */
      squares += (i == j ? 4U : 2U) * (uint64_t)both * both;
    }
  }
  if (pairs == 0) {
    float32_fill_nothing(output, 4);
    return;
  }
  const float number = (float)pairs;
  uint32_t contrast = 0;
  float homogeneity = 0.0F;
  for (uint32_t i = 0; i < levels; i++) {
    contrast += apart[i] * i * i;
    homogeneity += (float)apart[i] / (float)(1U + i * i);
  }
  const int64_t square = (int64_t)sums * sums;
  const int64_t covariance = 4 * (int64_t)pairs * products - square;
  const int64_t variance = 2 * (int64_t)pairs * powers - square;
  output[0] = (float)contrast / number;
  output[1] = homogeneity / number;
  output[2] = sqrtf(float32_of_signed((int64_t)squares)) / (number + number);
  output[3] = variance == 0 ? 1.0F : float32_of_signed(covariance) / float32_of_signed(variance);
}

static uint16_t apply(const struct work *work) {
  const struct glcm_parameters *parameters = work->call->parameters;
  const struct levels levels = parameters->levels;
  const uint32_t rows = parameters->rows, columns = parameters->columns, width = levels.count + 1U;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  uint32_t *counts = stage_scratch(work);
  uint8_t *pixels = (uint8_t *)(counts + (size_t)(width * width + 3U) / 4U * 4U);
  for (uint32_t i = 0; i < rows * columns; i++) {
    pixels[i] = (uint8_t)levels_of(&levels, values[i]);
  }
  for (uint32_t i = 0; i < parameters->offset_count; i++, output += 4) {
    const struct glcm_offset offset = parameters->offsets[i];
    const uint32_t beside = (uint32_t)(offset.along < 0 ? -offset.along : offset.along);
    picture_clear(counts, width * width);
    for (uint32_t row = 0; row + offset.down < rows; row++) {
      const uint8_t *one = pixels + (size_t)row * columns, *other = one + (size_t)offset.down * columns;
      count_pairs(offset.along < 0 ? one + beside : one, offset.along < 0 ? other : other + beside, columns - beside,
                  width, counts);
    }
    describe(counts, levels.count, output);
  }
  return 0;
}

const struct stage glcm_stage = {.name = "glcm", .kind = STAGE_ELEMENTWISE, .apply = apply};
