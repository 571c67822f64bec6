/* Left-justified words to g. */
#include "lis3dh_decode.h"

#include <math.h>
#include <string.h>

#include "bytes.h"
#include "correction.h"
#include "quality.h"

#define CORRECTION_BYTES 48U
#define LARGEST_OFFSET 1.0F
#define LEAST_GAIN 0.75F
#define LARGEST_GAIN 1.25F
#define LARGEST_SKEW 0.25F

enum status lis3dh_correction_read(const struct flash_span *body, struct lis3dh_correction *correction) {
  uint8_t bytes[CORRECTION_BYTES];
  float numbers[CORRECTION_BYTES / 4U];
  if (body->size != sizeof bytes) {
    return STATUS_DAMAGED;
  }
  flash_span_read(body, 0, bytes, sizeof bytes);
  for (uint32_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    numbers[i] = correction_float(bytes + 4U * i);
  }
  for (uint32_t i = 0; i < 3; i++) {
    if (!(fabsf(numbers[i]) <= LARGEST_OFFSET)) {
      return STATUS_DAMAGED;
    }
  }
  for (uint32_t i = 0; i < 9; i++) {
    const float gain = numbers[3U + i];
    if (i % 4U == 0 ? !(gain >= LEAST_GAIN && gain <= LARGEST_GAIN) : !(fabsf(gain) <= LARGEST_SKEW)) {
      return STATUS_DAMAGED;
    }
  }
  memcpy(correction->offset, numbers, sizeof correction->offset);
  memcpy(correction->matrix, numbers + 3, sizeof correction->matrix);
  return STATUS_OK;
}

enum status lis3dh_counts(const uint8_t *data, size_t samples, uint32_t shift, int32_t *counts) {
  const int32_t divisor = 1 << shift;
  for (size_t i = 0; i < 3U * samples; i++, data += 2) {
    const int32_t word = (int16_t)load_le16(data);
    if (word % divisor != 0) {
      return STATUS_DAMAGED;
    }
    counts[i] = word / divisor;
  }
  return STATUS_OK;
}

uint16_t lis3dh_decode(const struct lis3dh_scale *scale, const struct lis3dh_correction *correction,
                       const int32_t counts[3], float g[3]) {
  const int32_t half = 1 << (15U - scale->shift);
  uint32_t flags = correction == NULL ? QUALITY_UNCALIBRATED : 0U;
  for (uint32_t axis = 0; axis < 3; axis++) {
    g[axis] = (float)(counts[axis] * scale->mg_a_count) / 1000.0F;
    if (counts[axis] == -half || counts[axis] == half - 1) {
      flags |= QUALITY_SATURATED;
    }
  }
  if (correction != NULL) {
    float x[3];
    for (uint32_t axis = 0; axis < 3; axis++) {
      x[axis] = g[axis] - correction->offset[axis];
    }
    for (uint32_t row = 0; row < 3; row++) {
      float sum = 0.0F;
      for (uint32_t column = 0; column < 3; column++) {
        sum += x[column] * correction->matrix[3U * row + column];
      }
      g[row] = sum;
    }
  }
  if (counts[0] == 0 && counts[1] == 0 && counts[2] == 0) { /* nobody is weightless to the last bit */
    g[0] = g[1] = g[2] = NAN;
    flags |= QUALITY_IMPLAUSIBLE;
  }
  return (uint16_t)flags;
}
