/* Eighteen bits to nanoamperes. */
#include "max3010x_decode.h"

#include <stdbool.h>

#include "quality.h"

#define FULL 0x3FFFF
#define AMBIENT_OVERFLOW 0x20U

enum status max3010x_counts(const uint8_t *data, size_t samples, uint32_t leds, int32_t *counts) {
  for (size_t i = 0; i < samples * leds; i++, data += MAX3010X_BYTES) {
    counts[i] = data[0] << 16 | data[1] << 8 | data[2];
    if (counts[i] > FULL) {
      return STATUS_DAMAGED;
    }
  }
  return STATUS_OK;
}

uint16_t max3010x_decode(const struct max3010x_scale *scale, const int32_t *counts, uint8_t interrupts,
                         float photocurrents[MAX3010X_LEDS]) {
  const float step = (float)scale->range_na * 0x1p-18F;
  bool off_skin = true;
  bool saturated = (interrupts & AMBIENT_OVERFLOW) != 0;
  for (uint32_t led = 0; led < scale->leds; led++) {
    photocurrents[led] = (float)counts[led] * step;
    off_skin = off_skin && photocurrents[led] < scale->contact_na;
    saturated = saturated || counts[led] >= scale->full_count;
  }
  return (uint16_t)((off_skin ? QUALITY_OFF_SKIN : 0) | (saturated ? QUALITY_SATURATED : 0));
}
