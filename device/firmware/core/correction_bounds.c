/* Pixel by pixel from where the calibration lies in flash, so that no picture's worth of memory is needed. */
#include "correction_bounds.h"

#include <math.h>
#include <string.h>

#include "bytes.h"

#define LEAST_GOOD (PIXELS * 7U / 8U)
#define LARGEST_MEAN_K 4.0F
#define LARGEST_PIXEL_K 10.0F
#define SMALLEST_GAIN 0.5F
#define LARGEST_GAIN 2.0F
#define LARGEST_SLOPE 0.5F
#define LARGEST_RESIDUAL_K 5.0F
#define LARGEST_THERMISTOR_K 5.0F
#define REFERENCE_TA 25.0F

/* Object and die temperatures at which it is looked at, degC. */
static const float corners[4][2] = {{20.0F, 15.0F}, {20.0F, 40.0F}, {45.0F, 15.0F}, {45.0F, 40.0F}};
/* Resistances, of the divider's, at which thermistors' curves are compared. */
static const float shares[3] = {0.5F, 1.0F, 2.0F};

static bool is_good(const struct correction *correction, uint32_t pixel) {
  return (correction->valid[pixel / COLUMNS] >> (pixel % COLUMNS) & 1U) != 0;
}

static uint32_t count_good(const struct correction *correction) {
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

static bool has_wild_pixel(const struct correction *correction, struct text *reason) {
  for (uint32_t i = 0; i < PIXELS; i++) {
    const float gain = correction_value(correction, CORRECTION_GAIN, i);
    const float slope = correction_value(correction, CORRECTION_SLOPE, i);
    if (is_good(correction, i) && (gain < SMALLEST_GAIN || gain > LARGEST_GAIN || fabsf(slope) > LARGEST_SLOPE)) {
      text_add(reason, "The calibration gives ");
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

static bool moves_too_far(const struct correction *correction, const float corner[2], uint32_t good,
                          struct text *reason) {
  float sum = 0.0F;
  float largest = 0.0F;
  uint32_t worst = 0;
  for (uint32_t i = 0; i < PIXELS; i++) {
    const float moved = correction_value(correction, CORRECTION_OFFSET, i) +
                        (correction_value(correction, CORRECTION_GAIN, i) - 1.0F) * corner[0] +
                        correction_value(correction, CORRECTION_SLOPE, i) * (corner[1] - REFERENCE_TA);
    if (is_good(correction, i)) {
      sum += moved;
      worst = fabsf(moved) > fabsf(largest) ? i : worst;
      largest = fabsf(moved) > fabsf(largest) ? moved : largest;
    }
  }
  const float mean = sum / (float)good;
  if (fabsf(mean) > LARGEST_MEAN_K) {
    text_add(reason, "The calibration moves a picture");
    add_place(reason, corner);
    add_kelvin(reason, mean);
    text_add(
        reason,
        " on average, and a sensor in order is within 4 K by its EEPROM; check the reference and calibrate again.");
    return true;
  }
  if (fabsf(largest) > LARGEST_PIXEL_K) {
    text_add(reason, "The calibration moves ");
    add_pixel(reason, worst);
    add_place(reason, corner);
    add_kelvin(reason, largest);
    text_add(reason, ", and a pixel in order is within 10 K by the EEPROM; call it bad, or calibrate again.");
    return true;
  }
  return false;
}

static bool moves_thermistor(const struct correction *correction, const struct profile *profile, struct text *reason) {
  for (uint8_t i = 0; i < profile->channel_count; i++) {
    const struct thermistor_profile *const channel = &profile->channels[i];
    struct thermistor_curve calibrated;
    struct thermistor_curve expected;
    if (!correction_curve(correction, i, &calibrated) || !thermistor_profile_curve(channel, &expected)) {
      continue;
    }
    for (uint32_t at = 0; at < sizeof shares / sizeof shares[0]; at++) {
      const float ohm = channel->series_ohm * shares[at];
      const float celsius = thermistor_curve_celsius(&expected, ohm);
      const float moved = thermistor_curve_celsius(&calibrated, ohm) - celsius;
      if (!(fabsf(moved) <= LARGEST_THERMISTOR_K)) {
        text_add(reason, "The calibration moves thermistor '");
        text_add(reason, channel->name);
        text_add(reason, "' at ");
        text_add_float(reason, celsius, 1);
        text_add(reason, " degC by ");
        add_kelvin(reason, moved);
        text_add(reason, ", and its data sheet is right to 5 K; check its place and circuit, and calibrate again.");
        return true;
      }
    }
  }
  return false;
}

bool correction_is_implausible(const struct correction *correction, const struct profile *profile,
                               struct text *reason) {
  const uint32_t good = count_good(correction);
  if (good < LEAST_GOOD) {
    text_add(reason, "The calibration calls ");
    text_add_unsigned(reason, PIXELS - good);
    text_add(reason,
             " of 768 pixels bad, and a picture needs 672 good ones to be judged; check that the blackbody fills "
             "the field of view and calibrate again.");
    return true;
  }
  if (correction->residual_k > LARGEST_RESIDUAL_K) {
    text_add(reason, "The calibration leaves ");
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
  return moves_thermistor(correction, profile, reason);
}
