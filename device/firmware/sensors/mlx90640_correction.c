/* Pixel by pixel from where it lies in flash, so that no picture's worth of memory is needed. */
#include "mlx90640_correction.h"

#include <math.h>
#include <string.h>

#include "bytes.h"
#include "interpolate.h"

#define MAP_BYTES (4U * PIXELS)
#define BAD (3U * MAP_BYTES)
#define REFERENCE_TA 25.0F
/* What cannot be at all. */
#define LARGEST_OFFSET 1000.0F
#define SMALLEST_GAIN 0.1F
#define LARGEST_GAIN 10.0F
#define LARGEST_SLOPE 10.0F
/* What no sensor in order needs, by the limits of thermo_core.sensors.mlx90640.bounds. */
#define LEAST_GOOD (PIXELS * 7U / 8U)
#define PLAUSIBLE_MEAN_K 4.0F
#define PLAUSIBLE_PIXEL_K 10.0F
#define LEAST_PLAUSIBLE_GAIN 0.5F
#define MOST_PLAUSIBLE_GAIN 2.0F
#define PLAUSIBLE_SLOPE 0.5F
#define PLAUSIBLE_RESIDUAL_K 5.0F

/* Object and die temperatures at which it is looked at, degC. */
static const float corners[4][2] = {{20.0F, 15.0F}, {20.0F, 40.0F}, {45.0F, 15.0F}, {45.0F, 40.0F}};

static bool map_within(const uint8_t *map, float low, float high) {
  for (size_t i = 0; i < PIXELS; i++) {
    const float value = correction_float(map + 4U * i);
    if (!(value >= low && value <= high)) {
      return false;
    }
  }
  return true;
}

static bool map_is(const uint8_t *map, float wanted) {
  for (size_t i = 0; i < PIXELS; i++) {
    const float value = correction_float(map + 4U * i);
    if (value < wanted || value > wanted) {
      return false;
    }
  }
  return true;
}

/* Returns how many are bad. */
static uint32_t load_valid(const uint8_t *bad, uint32_t valid[ROWS]) {
  uint32_t count = 0;
  for (size_t row = 0; row < ROWS; row++) {
    uint32_t bits = load_le32(bad + 4U * row);
    valid[row] = ~bits;
    for (; bits != 0; bits &= bits - 1U) {
      count++;
    }
  }
  return count;
}

void mlx90640_correction_none(struct mlx90640_correction *correction) {
  memset(correction, 0, sizeof *correction);
  correction->identity = true;
}

enum status mlx90640_correction_open(const struct correction *blob, struct mlx90640_correction *correction) {
  mlx90640_correction_none(correction);
  const uint8_t *const body = blob->body;
  if (blob->body_size != MLX90640_CORRECTION_BYTES || !map_within(body, -LARGEST_OFFSET, LARGEST_OFFSET) ||
      !map_within(body + MAP_BYTES, SMALLEST_GAIN, LARGEST_GAIN) ||
      !map_within(body + 2U * MAP_BYTES, -LARGEST_SLOPE, LARGEST_SLOPE)) {
    return STATUS_DAMAGED;
  }
  uint32_t valid[ROWS];
  const uint32_t bad = load_valid(body + BAD, valid);
  if (bad > PIXELS / 2U) {
    return STATUS_DAMAGED;
  }
  correction->body = body;
  correction->residual_k = blob->residual;
  memcpy(correction->valid, valid, sizeof valid);
  correction->has_bad = bad != 0;
  correction->identity =
      bad == 0 && map_is(body, 0.0F) && map_is(body + MAP_BYTES, 1.0F) && map_is(body + 2U * MAP_BYTES, 0.0F);
  return STATUS_OK;
}

void mlx90640_correction_apply(const struct mlx90640_correction *correction, float celsius[PIXELS], float ta) {
  if (correction->identity) {
    return;
  }
  const uint8_t *const offset = correction->body;
  const uint8_t *const gain = offset + MAP_BYTES;
  const uint8_t *const slope = gain + MAP_BYTES;
  const float warmer = ta - REFERENCE_TA;
  for (size_t i = 0; i < PIXELS; i++) {
    const float corrected = correction_float(gain + 4U * i) * celsius[i] + correction_float(offset + 4U * i);
    celsius[i] = corrected + correction_float(slope + 4U * i) * warmer;
  }
  if (correction->has_bad) {
    interpolate_invalid(celsius, correction->valid); /* at most half of the pixels are bad, so it cannot fail */
  }
}

float mlx90640_correction_value(const struct mlx90640_correction *correction, enum mlx90640_correction_map map,
                                size_t pixel) {
  return correction_float(correction->body + (size_t)map * MAP_BYTES + 4U * pixel);
}

static bool is_good(const struct mlx90640_correction *correction, uint32_t pixel) {
  return (correction->valid[pixel / COLUMNS] >> (pixel % COLUMNS) & 1U) != 0;
}

static uint32_t count_good(const struct mlx90640_correction *correction) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < PIXELS; i++) {
    count += is_good(correction, i) ? 1U : 0U;
  }
  return count;
}

static void add_pixel(struct text *reason, uint32_t pixel) {
  text_add(reason, "the pixel in row ");
  text_add_unsigned(reason, pixel / COLUMNS);
  text_add(reason, ", column ");
  text_add_unsigned(reason, pixel % COLUMNS);
}

static void add_kelvin(struct text *reason, float kelvin) {
  text_add(reason, kelvin < 0.0F ? "" : "+");
  text_add_float(reason, kelvin, 2);
  text_add(reason, " K");
}

static bool has_wild_pixel(const struct mlx90640_correction *correction, struct text *reason) {
  for (uint32_t i = 0; i < PIXELS; i++) {
    const float gain = mlx90640_correction_value(correction, CORRECTION_GAIN, i);
    const float slope = mlx90640_correction_value(correction, CORRECTION_SLOPE, i);
    if (is_good(correction, i) &&
        (gain < LEAST_PLAUSIBLE_GAIN || gain > MOST_PLAUSIBLE_GAIN || fabsf(slope) > PLAUSIBLE_SLOPE)) {
      text_add(reason, "The correction gives ");
      add_pixel(reason, i);
      text_add(reason, " a gain of ");
      text_add_float(reason, gain, 3);
      text_add(reason, " and a slope of ");
      text_add_float(reason, slope, 3);
      text_add(reason, ", outside those of a pixel in order (0.5 to 2 and -0.5 to 0.5); calibrate again.");
      return true;
    }
  }
  return false;
}

static void add_place(struct text *reason, const float corner[2]) {
  text_add(reason, " at ");
  text_add_float(reason, corner[0], 0);
  text_add(reason, " degC (die at ");
  text_add_float(reason, corner[1], 0);
  text_add(reason, " degC) by ");
}

static bool moves_too_far(const struct mlx90640_correction *correction, const float corner[2], uint32_t good,
                          struct text *reason) {
  float sum = 0.0F;
  float largest = 0.0F;
  uint32_t worst = 0;
  for (uint32_t i = 0; i < PIXELS; i++) {
    const float moved = mlx90640_correction_value(correction, CORRECTION_OFFSET, i) +
                        (mlx90640_correction_value(correction, CORRECTION_GAIN, i) - 1.0F) * corner[0] +
                        mlx90640_correction_value(correction, CORRECTION_SLOPE, i) * (corner[1] - REFERENCE_TA);
    if (is_good(correction, i)) {
      sum += moved;
      worst = fabsf(moved) > fabsf(largest) ? i : worst;
      largest = fabsf(moved) > fabsf(largest) ? moved : largest;
    }
  }
  const float mean = sum / (float)good;
  if (fabsf(mean) > PLAUSIBLE_MEAN_K) {
    text_add(reason, "The correction moves a picture");
    add_place(reason, corner);
    add_kelvin(reason, mean);
    text_add(
        reason,
        " on average, and a sensor in order is within 4 K by its EEPROM; check the reference and calibrate again.");
    return true;
  }
  if (fabsf(largest) > PLAUSIBLE_PIXEL_K) {
    text_add(reason, "The correction moves ");
    add_pixel(reason, worst);
    add_place(reason, corner);
    add_kelvin(reason, largest);
    text_add(reason, ", and a pixel in order is within 10 K by the EEPROM; call it bad, or calibrate again.");
    return true;
  }
  return false;
}

bool mlx90640_correction_is_implausible(const struct mlx90640_correction *correction, struct text *reason) {
  const uint32_t good = count_good(correction);
  if (good < LEAST_GOOD) {
    text_add(reason, "The correction calls ");
    text_add_unsigned(reason, PIXELS - good);
    text_add(reason,
             " of 768 pixels bad, and a picture needs 672 good ones to be judged; check that the blackbody fills "
             "the field of view and calibrate again.");
    return true;
  }
  if (correction->residual_k > PLAUSIBLE_RESIDUAL_K) {
    text_add(reason, "The correction leaves ");
    text_add_float(reason, correction->residual_k, 2);
    text_add(reason, " K at its hold-out points, and 5 K is plausible; calibrate again.");
    return true;
  }
  if (has_wild_pixel(correction, reason)) {
    return true;
  }
  for (uint32_t i = 0; i < sizeof corners / sizeof corners[0]; i++) {
    if (moves_too_far(correction, corners[i], good, reason)) {
      return true;
    }
  }
  return false;
}
