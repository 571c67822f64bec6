/* libFuzzer target: constants, conditions and temperatures of arbitrary bytes. What is accepted must give numbers.

   Input: 832 words of EEPROM, 832 of RAM, control register, subpage number, emissivity and reflected temperature as
   float32, all little-endian; what is missing is 0. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "interpolate.h"
#include "mlx90640_constants.h"
#include "mlx90640_decode.h"

struct input {
  uint16_t eeprom[MLX90640_EEPROM_WORDS];
  uint16_t ram[RAM_WORDS];
  uint16_t control;
  uint16_t number;
  struct mlx90640_optics optics;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) {
    abort();
  }
}

static void check_constants(const struct mlx90640_constants *constants) {
  const struct mlx90640_plausibility *const found = &constants->found;
  require(found->doubtful_count <= MLX90640_MAX_DOUBTFUL_PIXELS && constants->resolution <= 3);
  require(found->bad_count - found->doubtful_count <= MLX90640_MAX_BAD_PIXELS);
  for (uint32_t i = 0; i < PIXELS; i++) {
    require(isfinite(constants->per_alpha[i]) && constants->per_alpha[i] >= 0.0F);
  }
  for (uint32_t i = 0; i < 4; i++) {
    require(isfinite(constants->level[i]) && isfinite(constants->slope[i]));
  }
}

static void check_picture(const float celsius[PIXELS], const uint32_t valid[ROWS]) {
  for (uint32_t i = 0; i < PIXELS; i++) {
    if (valid[i / COLUMNS] >> (i % COLUMNS) & 1U) {
      require(celsius[i] >= -40.001F && celsius[i] < 300.001F);
    } else {
      require(celsius[i] >= 0.0F && celsius[i] <= 0.0F);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct input input;
  static struct mlx90640_constants constants;
  static float celsius[PIXELS];
  uint32_t valid[ROWS] = {0};
  memset(&input, 0, sizeof input);
  memset(celsius, 0, sizeof celsius);
  if (size > 0) {
    memcpy(&input, data, size < sizeof input ? size : sizeof input);
  }
  if (mlx90640_extract(input.eeprom, &constants) != STATUS_OK) {
    return 0;
  }
  check_constants(&constants);
  struct mlx90640_conditions conditions;
  const uint8_t number = (uint8_t)input.number;
  if (mlx90640_read_conditions(&constants, input.ram, input.control, number, &conditions) != STATUS_OK) {
    return 0;
  }
  require(conditions.gain > 0.0F && isfinite(conditions.gain) && isfinite(conditions.compensation));
  require(conditions.ta > -60.1F && conditions.ta < 130.1F && conditions.vdd > 2.3F && conditions.vdd < 4.3F);
  if (mlx90640_decode(&constants, &input.optics, input.ram, &conditions, celsius, valid) != STATUS_OK) {
    return 0;
  }
  check_picture(celsius, valid);
  require(interpolate_invalid(celsius, valid) == STATUS_OK);
  for (uint32_t i = 0; i < PIXELS; i++) {
    require(isfinite(celsius[i]));
  }
  return 0;
}
