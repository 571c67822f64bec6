/* Checks of a calibration's bytes, and their use in place. */
#include "correction.h"

#include <math.h>
#include <string.h>

#include "bytes.h"
#include "crc.h"
#include "interpolate.h"

#define VERSION 2U
#define MAPS 32U
#define MAP_BYTES (4U * PIXELS)
#define BAD (MAPS + 3U * MAP_BYTES)
#define CURVE_BYTES 24U
#define CRC_BYTES 4U
#define REFERENCE_TA 25.0F
#define LARGEST_OFFSET 1000.0F
#define LARGEST_SLOPE 10.0F
#define SMALLEST_GAIN 0.1F
#define LARGEST_GAIN 10.0F
#define LATEST_UNIX_S 253402300799U /* the end of the year 9999 */

/* Whether a float64 is neither zero. */
static bool is_set(const uint8_t *from) {
  return (load_le64(from) & INT64_MAX) != 0;
}

static float load_float(const uint8_t *from) {
  const uint32_t bits = load_le32(from);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* A float64 as the nearest float32, infinite beyond its range; less than its smallest normal number is 0. */
static float load_double(const uint8_t *from) {
  const uint64_t bits = load_le64(from);
  const uint32_t sign = (uint32_t)(bits >> 32) & 0x80000000U;
  const int32_t exponent = (int32_t)(bits >> 52 & 0x7FFU) - 1023;
  uint32_t single;
  if (exponent > 127) {
    single = 0x7F800000U;
  } else if (exponent < -126) {
    single = 0;
  } else {
    const uint32_t kept = (uint32_t)(bits >> 29) & 0x007FFFFFU;
    const uint32_t rest = (uint32_t)bits & 0x1FFFFFFFU;
    single = (uint32_t)(exponent + 127) << 23 | kept;
    /* half-even; a carry into the exponent is right */
    single += rest > 0x10000000U || (rest == 0x10000000U && (kept & 1U)) ? 1U : 0U;
  }
  single |= sign;
  float value;
  memcpy(&value, &single, sizeof value);
  return value;
}

static bool map_within(const uint8_t *map, float low, float high) {
  for (size_t i = 0; i < PIXELS; i++) {
    const float value = load_float(map + 4U * i);
    if (!(value >= low && value <= high)) {
      return false;
    }
  }
  return true;
}

static bool map_is(const uint8_t *map, float wanted) {
  for (size_t i = 0; i < PIXELS; i++) {
    const float value = load_float(map + 4U * i);
    if (value < wanted || value > wanted) {
      return false;
    }
  }
  return true;
}

static bool all_zero(const uint8_t *data, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (data[i] != 0) {
      return false;
    }
  }
  return true;
}

static const uint8_t *curve_at(const uint8_t *blob, size_t channel) {
  return blob + CORRECTION_FIXED_BYTES + CURVE_BYTES * channel;
}

static bool curve_is_set(const uint8_t *curve) {
  return is_set(curve) || is_set(curve + 8) || is_set(curve + 16);
}

static struct thermistor_curve load_curve(const uint8_t *curve) {
  return (struct thermistor_curve){load_double(curve), load_double(curve + 8), load_double(curve + 16)};
}

static bool curves_are_possible(const uint8_t *blob, size_t channels) {
  for (size_t i = 0; i < channels; i++) {
    const struct thermistor_curve curve = load_curve(curve_at(blob, i));
    if (curve_is_set(curve_at(blob, i)) && !thermistor_curve_is_possible(&curve)) {
      return false;
    }
  }
  return true;
}

static bool is_whole(const uint8_t *blob, size_t size) {
  return size >= CORRECTION_MIN_BYTES && size <= CORRECTION_MAX_BYTES && memcmp(blob, "TCOR", 4) == 0 &&
         crc32_update(0, blob, size - CRC_BYTES) == load_le32(blob + size - CRC_BYTES);
}

static bool header_is_possible(const uint8_t *blob, size_t size) {
  const uint32_t id_size = blob[5];
  const uint32_t channels = blob[6];
  return blob[4] == VERSION && id_size <= CORRECTION_MAX_ID_BYTES && channels <= CORRECTION_MAX_THERMISTORS &&
         blob[7] == 0 && size == CORRECTION_MIN_BYTES + CURVE_BYTES * channels &&
         all_zero(blob + 8 + id_size, CORRECTION_MAX_ID_BYTES - id_size);
}

static bool values_are_possible(const uint8_t *blob) {
  const float residual = load_float(blob + 24);
  return load_le64(blob + 16) <= LATEST_UNIX_S && residual >= 0.0F && isfinite(residual) &&
         map_within(blob + MAPS, -LARGEST_OFFSET, LARGEST_OFFSET) &&
         map_within(blob + MAPS + MAP_BYTES, SMALLEST_GAIN, LARGEST_GAIN) &&
         map_within(blob + MAPS + 2U * MAP_BYTES, -LARGEST_SLOPE, LARGEST_SLOPE);
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

void correction_none(struct correction *correction) {
  memset(correction, 0, sizeof *correction);
  correction->identity = true;
}

enum status correction_open(const uint8_t *blob, size_t size, struct correction *correction) {
  correction_none(correction);
  if (!is_whole(blob, size) || !header_is_possible(blob, size) || !values_are_possible(blob) ||
      !curves_are_possible(blob, blob[6])) {
    return STATUS_DAMAGED;
  }
  uint32_t valid[ROWS];
  const uint32_t bad = load_valid(blob + BAD, valid);
  if (bad > PIXELS / 2U) {
    return STATUS_DAMAGED;
  }
  correction->blob = blob;
  correction->id_size = blob[5];
  memcpy(correction->id, blob + 8, sizeof correction->id);
  correction->thermistors = blob[6];
  correction->fingerprint = load_le32(blob + 28);
  correction->residual_k = load_float(blob + 24);
  memcpy(correction->valid, valid, sizeof valid);
  correction->has_bad = bad != 0;
  correction->identity = bad == 0 && map_is(blob + MAPS, 0.0F) && map_is(blob + MAPS + MAP_BYTES, 1.0F) &&
                         map_is(blob + MAPS + 2U * MAP_BYTES, 0.0F);
  return STATUS_OK;
}

bool correction_fits(const struct correction *correction, const uint8_t *id, size_t id_size, uint32_t fingerprint) {
  return correction->id_size == id_size && memcmp(correction->id, id, id_size) == 0 &&
         (correction->fingerprint == 0 || correction->fingerprint == fingerprint);
}

bool correction_is_identity(const struct correction *correction) {
  return correction->identity;
}

void correction_apply(const struct correction *correction, float celsius[PIXELS], float ta) {
  if (correction->identity) {
    return;
  }
  const uint8_t *const offset = correction->blob + MAPS;
  const uint8_t *const gain = offset + MAP_BYTES;
  const uint8_t *const slope = gain + MAP_BYTES;
  const float warmer = ta - REFERENCE_TA;
  for (size_t i = 0; i < PIXELS; i++) {
    const float corrected = load_float(gain + 4U * i) * celsius[i] + load_float(offset + 4U * i);
    celsius[i] = corrected + load_float(slope + 4U * i) * warmer;
  }
  if (correction->has_bad) {
    interpolate_invalid(celsius, correction->valid); /* at most half of the pixels are bad, so it cannot fail */
  }
}

float correction_value(const struct correction *correction, enum correction_map map, size_t pixel) {
  return load_float(correction->blob + MAPS + (size_t)map * MAP_BYTES + 4U * pixel);
}

bool correction_curve(const struct correction *correction, size_t channel, struct thermistor_curve *curve) {
  if (channel >= correction->thermistors || !curve_is_set(curve_at(correction->blob, channel))) {
    return false;
  }
  *curve = load_curve(curve_at(correction->blob, channel));
  return true;
}
