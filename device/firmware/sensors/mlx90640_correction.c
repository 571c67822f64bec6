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

/* A row of a map. */
static void read_row(const struct flash_span *body, size_t map, size_t row, float values[COLUMNS]) {
  _Alignas(4) uint8_t bytes[4U * COLUMNS]; /* so that numbers are words where these have to be aligned */
  flash_span_read(body, map * MAP_BYTES + row * sizeof bytes, bytes, sizeof bytes);
  for (size_t i = 0; i < COLUMNS; i++) {
    values[i] = correction_float(bytes + 4U * i);
  }
}

/* Whether all of a map lies from `low` to `high`. */
static bool map_within(const struct flash_span *body, size_t map, float low, float high) {
  bool within = true;
  for (size_t row = 0; within && row < ROWS; row++) {
    float values[COLUMNS];
    read_row(body, map, row, values);
    for (size_t i = 0; i < COLUMNS; i++) {
      within = within && values[i] >= low && values[i] <= high;
    }
  }
  return within;
}

static bool map_is(const struct flash_span *body, size_t map, float wanted) {
  return map_within(body, map, wanted, wanted);
}

/* Returns how many are bad. */
static uint32_t load_valid(const struct flash_span *body, uint32_t valid[ROWS]) {
  uint32_t count = 0;
  for (size_t row = 0; row < ROWS; row++) {
    uint8_t bytes[4];
    flash_span_read(body, BAD + row * sizeof bytes, bytes, sizeof bytes);
    uint32_t bits = load_le32(bytes);
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
  const struct flash_span *const body = &blob->body;
  if (body->size != MLX90640_CORRECTION_BYTES ||
      !map_within(body, CORRECTION_OFFSET, -LARGEST_OFFSET, LARGEST_OFFSET) ||
      !map_within(body, CORRECTION_GAIN, SMALLEST_GAIN, LARGEST_GAIN) ||
      !map_within(body, CORRECTION_SLOPE, -LARGEST_SLOPE, LARGEST_SLOPE)) {
    return STATUS_DAMAGED;
  }
  uint32_t valid[ROWS];
  const uint32_t bad = load_valid(body, valid);
  if (bad > PIXELS / 2U) {
    return STATUS_DAMAGED;
  }
  correction->body = *body;
  correction->residual_k = blob->residual;
  memcpy(correction->valid, valid, sizeof valid);
  correction->has_bad = bad != 0;
  correction->identity = bad == 0 && map_is(body, CORRECTION_OFFSET, 0.0F) && map_is(body, CORRECTION_GAIN, 1.0F) &&
                         map_is(body, CORRECTION_SLOPE, 0.0F);
  return STATUS_OK;
}

void mlx90640_correction_apply(const struct mlx90640_correction *correction, float celsius[PIXELS], float ta) {
  if (correction->identity) {
    return;
  }
  const float warmer = ta - REFERENCE_TA;
  for (size_t row = 0; row < ROWS; row++) {
    uint8_t bytes[3][4U * COLUMNS];
    for (size_t map = 0; map < 3; map++) {
      flash_span_read(&correction->body, map * MAP_BYTES + row * sizeof bytes[0], bytes[map], sizeof bytes[map]);
    }
    float *const pixels = celsius + row * COLUMNS;
    for (size_t i = 0; i < COLUMNS; i++) {
      const float offset = correction_float(bytes[CORRECTION_OFFSET] + 4U * i);
      const float gain = correction_float(bytes[CORRECTION_GAIN] + 4U * i);
      const float slope = correction_float(bytes[CORRECTION_SLOPE] + 4U * i);
      pixels[i] = gain * pixels[i] + offset + slope * warmer;
    }
  }
  if (correction->has_bad) {
    interpolate_invalid(celsius, correction->valid); /* at most half of the pixels are bad, so it cannot fail */
  }
}

float mlx90640_correction_value(const struct mlx90640_correction *correction, enum mlx90640_correction_map map,
                                size_t pixel) {
  uint8_t bytes[4];
  flash_span_read(&correction->body, (size_t)map * MAP_BYTES + sizeof bytes * pixel, bytes, sizeof bytes);
  return correction_float(bytes);
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
