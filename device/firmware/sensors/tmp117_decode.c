/* 128 counts a kelvin, and words that are no temperature. */
#include "tmp117_decode.h"

#include <math.h>

#include "quality.h"

#define NEVER 0x0003U
#define DATA_READY 0x2000U
#define NOT_CONVERTED 0x8000U
#define COUNTS_A_KELVIN 128
#define LOWEST (-55 * COUNTS_A_KELVIN)
#define HIGHEST (150 * COUNTS_A_KELVIN)

uint16_t tmp117_decode(uint16_t configuration, uint16_t result, const struct correction_line *line, float *celsius) {
  const int32_t counts = (int16_t)result;
  uint32_t flags = line == NULL ? QUALITY_UNCALIBRATED : 0U;
  uint32_t wrong = 0;
  if (configuration & NEVER) {
    wrong = QUALITY_IMPLAUSIBLE;
  } else if (result == NOT_CONVERTED) {
    wrong = QUALITY_MISSING;
  } else if (!(configuration & DATA_READY)) {
    wrong = QUALITY_STALE;
  } else if (counts < LOWEST || counts > HIGHEST) {
    wrong = QUALITY_IMPLAUSIBLE;
  }
  *celsius = wrong ? NAN : (float)counts / 128.0F;
  if (line != NULL) {
    *celsius = correction_line_apply(line, *celsius);
  }
  return (uint16_t)(flags | wrong);
}
