/* Constants from the EEPROM, and both temperatures in the order of operations that thermo_core has. */
#include "mlx90632_decode.h"

#include <math.h>
#include <stdbool.h>

#include "bytes.h"
#include "quality.h"
#include "units.h"

#define ITERATIONS 5
#define LARGEST_OBJECT 27000.0F
#define LEAST_REFERENCE 1024

/* Places of words in what travels: addresses 0x2405 on, then 0x2481 and 0x2482. */
enum { ID = 0, VERSION = 6, P_R = 7, P_G = 9, P_T = 11, P_O = 13, EA = 31, EB = 33, FA = 35, FB = 37, GA = 39 };
enum { GB = 41, KA = 42, HA = 43, HB = 44 };

static int32_t whole(const uint16_t *words, uint32_t place) {
  return (int32_t)(words[place] | (uint32_t)words[place + 1U] << 16);
}

static bool blank(const uint16_t *words) {
  return words[ID] == words[ID + 1] && words[ID] == words[ID + 2] && (words[ID] == 0 || words[ID] == 0xFFFFU);
}

enum status mlx90632_extract(const uint16_t words[MLX90632_CONSTANT_WORDS], struct mlx90632_constants *constants,
                             uint8_t id[6]) {
  const int32_t fa = whole(words, FA);
  if (blank(words) || (words[VERSION] & 0xFFU) != 5U || whole(words, P_G) == 0 || whole(words, EA) == 0 || fa <= 0 ||
      (int16_t)words[HA] <= 0) {
    return STATUS_BAD_EEPROM;
  }
  for (uint32_t i = 0; i < 3; i++) {
    store_le16(id + 2U * i, words[ID + i]);
  }
  *constants = (struct mlx90632_constants){
      .p_r = (float)whole(words, P_R) * 0x1p-8F,
      .p_g = (float)whole(words, P_G) * 0x1p-20F,
      .p_t = (float)whole(words, P_T) * 0x1p-44F,
      .p_o = (float)whole(words, P_O) * 0x1p-8F,
      .ea = (float)whole(words, EA) * 0x1p-16F,
      .eb = (float)whole(words, EB) * 0x1p-8F,
      .fa = (float)fa * 0x1p-46F,
      .fb = (float)whole(words, FB) * 0x1p-36F,
      .ga = (float)whole(words, GA) * 0x1p-36F,
      .gb = (float)(int16_t)words[GB] * 0x1p-10F,
      .ka = (float)(int16_t)words[KA] * 0x1p-10F,
      .ha = (float)(int16_t)words[HA] * 0x1p-14F,
      .hb = (float)(int16_t)words[HB] * 0x1p-10F,
  };
  return STATUS_OK;
}

float mlx90632_ambient_signal(const struct mlx90632_constants *constants, float ambient, float reference) {
  const float twelfth = ambient / 12.0F;
  return twelfth / (reference + constants->gb * twelfth) * 524288.0F;
}

float mlx90632_object_signal(const struct mlx90632_constants *constants, float objects, float ambient,
                             float reference) {
  const float twelfth = ambient / 12.0F;
  return objects / 12.0F / (reference + constants->ka * twelfth) * 524288.0F;
}

float mlx90632_ambient_celsius(const struct mlx90632_constants *constants, float amb) {
  const float above = amb - constants->p_r;
  return constants->p_o + above / constants->p_g + constants->p_t * (above * above);
}

float mlx90632_sensor_celsius(const struct mlx90632_constants *constants, float amb) {
  return (amb - constants->eb) / constants->ea + 25.0F;
}

static float fourth_power(float value) {
  const float square = value * value;
  return square * square;
}

float mlx90632_object_celsius(const struct mlx90632_constants *constants, const struct mlx90632_optics *optics,
                              float signal, float ta) {
  float background = fourth_power(ta + KELVIN);
  if (!isnan(optics->reflected_celsius)) {
    const float tr4 = fourth_power(optics->reflected_celsius + KELVIN);
    background = tr4 - (tr4 - background) / optics->emissivity;
  }
  const float sensitivity = optics->emissivity * constants->fa * constants->ha;
  const float by_ta = 1.0F + constants->fb * (ta - 25.0F);
  float to = 25.0F;
  for (uint32_t i = 0; i < ITERATIONS; i++) {
    const float radiance = signal / (sensitivity * (by_ta + constants->ga * (to - 25.0F))) + background;
    to = sqrtf(sqrtf(radiance)) - KELVIN - constants->hb;
  }
  return to;
}

enum status mlx90632_decode(const struct mlx90632_constants *constants, const struct mlx90632_optics *optics,
                            const struct correction_line *line, uint16_t status,
                            const int16_t words[MLX90632_MEDICAL_WORDS], struct mlx90632_reading *reading) {
  const uint32_t cycle = status >> 2 & 0x1FU;
  if (cycle != 1U && cycle != 2U) {
    return STATUS_UNDECODABLE;
  }
  const float objects = (float)((words[0] + words[1]) / 2 + (words[3] + words[4]) / 2) * 0.5F;
  const float ambient = words[2];
  const float reference = words[5];
  const float amb = mlx90632_ambient_signal(constants, ambient, reference);
  const float shown = mlx90632_ambient_celsius(constants, amb);
  const float ta = mlx90632_sensor_celsius(constants, amb);
  const float signal = mlx90632_object_signal(constants, objects, ambient, reference);
  float to = mlx90632_object_celsius(constants, optics, signal, ta);
  uint32_t flags = QUALITY_UNCALIBRATED;
  if (line != NULL) {
    to = correction_line_apply_at(line, to, shown);
    flags = 0;
  }
  *reading = (struct mlx90632_reading){.object = to, .ta = shown};
  if (words[5] < LEAST_REFERENCE || !(shown >= -40.0F && shown <= 125.0F)) {
    reading->object = reading->ta = NAN;
    flags |= QUALITY_IMPLAUSIBLE;
  } else if (fabsf(objects) > LARGEST_OBJECT) {
    reading->object = NAN;
    flags |= QUALITY_SATURATED;
  } else if (!(to >= -40.0F && to <= 200.0F)) {
    reading->object = NAN;
    flags |= QUALITY_IMPLAUSIBLE;
  }
  reading->flags = (uint16_t)flags;
  return STATUS_OK;
}
