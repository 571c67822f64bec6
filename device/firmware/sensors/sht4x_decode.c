/* Check bytes, and two straight lines. */
#include "sht4x_decode.h"

#include <math.h>

#include "bytes.h"
#include "crc8.h"
#include "quality.h"

enum status sht4x_words(const uint8_t answer[SHT4X_ANSWER], uint16_t words[2]) {
  for (uint32_t i = 0; i < 2; i++, answer += 3) {
    if (crc8(CRC8_SENSIRION, 0xFFU, answer, 2) != answer[2]) {
      return STATUS_DAMAGED;
    }
    words[i] = load_be16(answer);
  }
  return STATUS_OK;
}

static float clipped(float humidity) {
  return humidity < 0.0F ? 0.0F : humidity > 100.0F ? 100.0F : humidity;
}

uint16_t sht4x_decode(const uint16_t words[2], const struct correction_line *lines, float values[2]) {
  uint32_t flags = lines == NULL ? QUALITY_UNCALIBRATED : 0U;
  values[0] = -45.0F + 175.0F * (float)words[0] / 65535.0F;
  values[1] = clipped(-6.0F + 125.0F * (float)words[1] / 65535.0F);
  if (lines != NULL) {
    values[0] = correction_line_apply(lines, values[0]);
    values[1] = clipped(correction_line_apply(lines + 1, values[1]));
  }
  if (words[0] == 0 || words[0] == 0xFFFFU) {
    values[0] = values[1] = NAN;
    flags |= QUALITY_IMPLAUSIBLE;
  }
  return (uint16_t)flags;
}
