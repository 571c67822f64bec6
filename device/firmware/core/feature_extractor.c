/* The mean is kept as a sum of whole steps of 1/128 K, so mean and median are exact. */
#include "feature_extractor.h"

#include <string.h>

#include "select.h"

#define STEPS_PER_KELVIN 128.0F
#define LARGEST_STEPS 32767.0F
/* Adding this leaves a float no bits after the point, so that it rounds, halves to even; its own bits taken off what
   remains is the whole number. Holds for numbers within +-2^22. */
#define ROUNDER 12582912.0F
#define ROUNDER_BITS 0x4B400000

static int32_t round_half_even(float value) {
  const float rounded = value + ROUNDER;
  int32_t bits;
  memcpy(&bits, &rounded, sizeof bits);
  return bits - ROUNDER_BITS;
}

static float clamp(float value, float low, float high) {
  return value < low ? low : value > high ? high : value;
}

enum status features_start(struct features *features, uint16_t average_pictures) {
  features->length = 0;
  features_reset(features);
  if (average_pictures == 0 || average_pictures > FEATURES_MAX_PICTURES) {
    return STATUS_ARGUMENT;
  }
  features->length = average_pictures;
  return STATUS_OK;
}

void features_reset(struct features *features) {
  features->count = 0;
  features->next = 0;
}

enum status features_push(struct features *features, const float celsius[PIXELS]) {
  if (features->length == 0) {
    return STATUS_ARGUMENT;
  }
  for (uint32_t i = 0; i < PIXELS; i++) {
    if (!(celsius[i] - celsius[i] <= 0.0F)) { /* NaN and infinity less themselves are NaN */
      return STATUS_ARGUMENT;
    }
  }
  int16_t *const picture = features->pictures[features->next];
  for (uint32_t i = 0; i < PIXELS; i++) {
    picture[i] = (int16_t)round_half_even(clamp(celsius[i] * STEPS_PER_KELVIN, -LARGEST_STEPS, LARGEST_STEPS));
  }
  features->next = (uint16_t)(features->next + 1 == features->length ? 0 : features->next + 1);
  if (features->count < features->length) {
    features->count++;
  }
  return STATUS_OK;
}

uint16_t features_pictures(const struct features *features) {
  return features->count;
}

bool features_ready(const struct features *features) {
  return features->length != 0 && features->count == features->length;
}

/* Two neighbouring pixels: as halves of one word they are one load and two additions of a Cortex-M4. */
static inline uint32_t load_pair(const int16_t *pixels) {
  uint32_t pair;
  memcpy(&pair, pixels, sizeof pair);
  return pair;
}

static void sum_pictures(const struct features *features, int32_t sums[PIXELS]) {
  for (uint32_t i = 0; i < PIXELS; i += 4) {
    int32_t sum0 = 0;
    int32_t sum1 = 0;
    int32_t sum2 = 0;
    int32_t sum3 = 0;
    for (uint32_t picture = 0; picture < features->length; picture++) {
      const uint32_t left = load_pair(&features->pictures[picture][i]);
      const uint32_t right = load_pair(&features->pictures[picture][i + 2U]);
      sum0 += (int16_t)left;
      sum1 += (int16_t)(left >> 16);
      sum2 += (int16_t)right;
      sum3 += (int16_t)(right >> 16);
    }
    sums[i] = sum0;
    sums[i + 1U] = sum1;
    sums[i + 2U] = sum2;
    sums[i + 3U] = sum3;
  }
}

enum status features_quantize(const struct features *features, const struct profile *profile, int32_t scratch[PIXELS],
                              int8_t input[PIXELS]) {
  if (profile->model == NULL) {
    return STATUS_ARGUMENT;
  }
  if (!features_ready(features)) {
    return STATUS_EMPTY;
  }
  int32_t twice_centre = 0;
  if (profile->centre_median) {
    sum_pictures(features, scratch);
    twice_centre = (int32_t)select_middle_sum(scratch, PIXELS);
  }
  sum_pictures(features, scratch); /* selection has put them out of order */
  const float twice = 2.0F * STEPS_PER_KELVIN * (float)features->length;
  const float steps = profile->feature_scale / (profile->model->input_scale * twice);
  const int32_t zero = profile->model->input_zero_point;
  const float low = (float)(INT8_MIN - zero);
  const float high = (float)(INT8_MAX - zero);
  for (uint32_t i = 0; i < PIXELS; i++) {
    const float wanted = (float)(2 * scratch[i] - twice_centre) * steps;
    input[i] = (int8_t)(round_half_even(clamp(wanted, low, high)) + zero);
  }
  return STATUS_OK;
}
