/* Packet error codes, constants, and temperatures for an emissivity other than the chip's. */
#include "mlx90614_decode.h"

#include <math.h>

#include "bytes.h"
#include "crc8.h"
#include "quality.h"
#include "units.h"

#define ERROR 0x8000U
#define LEAST_EMISSIVITY 3277U /* 0.05 of 65535 */

enum { TO_MAX = 0, TO_MIN = 1, EMISSIVITY = 4, CONFIG = 5, ID = 28 };

enum status mlx90614_extract(const uint16_t words[MLX90614_EEPROM_WORDS], struct mlx90614_constants *constants,
                             uint8_t id[8]) {
  bool blank = words[ID] == 0 || words[ID] == 0xFFFFU;
  for (uint32_t i = 0; i < 4; i++) {
    blank = blank && words[ID + i] == words[ID];
    store_le16(id + 2U * i, words[ID + i]);
  }
  if (blank || words[EMISSIVITY] < LEAST_EMISSIVITY || words[TO_MAX] <= words[TO_MIN]) {
    return STATUS_BAD_EEPROM;
  }
  constants->emissivity = (float)words[EMISSIVITY] / 65535.0F;
  constants->zones = words[CONFIG] & 0x0040U ? 2U : 1U;
  return STATUS_OK;
}

enum status mlx90614_word(const uint8_t answer[3], uint8_t address, uint8_t command, bool check_pec, uint16_t *word) {
  const uint8_t sent[] = {(uint8_t)(address << 1), command, (uint8_t)(address << 1 | 1), answer[0], answer[1]};
  if (check_pec && crc8(CRC8_PEC, 0, sent, sizeof sent) != answer[2]) {
    return STATUS_DAMAGED;
  }
  *word = load_le16(answer);
  return STATUS_OK;
}

void mlx90614_write_message(uint8_t address, uint8_t command, uint16_t word, uint8_t message[MLX90614_WRITE_BYTES]) {
  uint8_t sent[] = {(uint8_t)(address << 1), command, (uint8_t)word, (uint8_t)(word >> 8)};
  message[0] = sent[1];
  message[1] = sent[2];
  message[2] = sent[3];
  message[3] = crc8(CRC8_PEC, 0, sent, sizeof sent);
}

static float fourth_power(float value) {
  const float square = value * value;
  return square * square;
}

static float with_emissivity(float to, float ta, float written, const struct mlx90614_optics *optics) {
  const float ta4 = fourth_power(ta + KELVIN);
  const float signal = written * (fourth_power(to + KELVIN) - ta4);
  float background = ta4;
  if (!isnan(optics->reflected_celsius)) {
    const float tr4 = fourth_power(optics->reflected_celsius + KELVIN);
    background = tr4 - (tr4 - ta4) / optics->emissivity;
  }
  return sqrtf(sqrtf(signal / optics->emissivity + background)) - KELVIN;
}

/* Temperature of a word, and what is wrong with it. */
static float checked(uint16_t word, uint16_t low, uint16_t high, uint32_t *flags) {
  if (word & ERROR) {
    *flags |= QUALITY_MISSING;
    return NAN;
  }
  if (word < low || word > high) {
    *flags |= QUALITY_IMPLAUSIBLE;
    return NAN;
  }
  return (float)word * 0.02F - KELVIN;
}

void mlx90614_decode(const struct mlx90614_constants *constants, const struct mlx90614_optics *optics,
                     const struct correction_line *lines, const uint16_t *words, uint32_t zones,
                     struct mlx90614_reading *reading) {
  uint32_t common = lines != NULL ? 0U : QUALITY_UNCALIBRATED;
  const float ta = checked(words[0], 0x2DE4U, 0x4DC4U, &common);
  reading->ta = ta;
  reading->ta_flags = (uint16_t)common;
  for (uint32_t zone = 0; zone < zones; zone++) {
    uint32_t flags = common;
    const float to = checked(words[1U + zone], 0x27ADU, 0x7FFFU, &flags);
    float value = with_emissivity(to, ta, constants->emissivity, optics);
    if (lines != NULL) {
      value = correction_line_apply_at(lines + zone, value, ta);
    }
    if (isnan(value) && !(flags & (QUALITY_MISSING | QUALITY_IMPLAUSIBLE))) {
      flags |= QUALITY_IMPLAUSIBLE;
    }
    reading->object[zone] = value;
    reading->object_flags[zone] = (uint16_t)flags;
  }
}
