/* EEPROM words to constants. What is refused is what thermo_core refuses, decided in whole numbers, so that rounding
   decides nothing. */
#include "mlx90640_constants.h"

#include "float32.h"
#include "mlx90640_fields.h"
#include "units.h"

/* Words of the EEPROM, as offsets from 0x2400. */
#define ID 7U
#define PATTERN 10U
#define OFFSET_SCALES 16U
#define OFFSET_MEAN 17U
#define OFFSET_ROWS 18U
#define OFFSET_COLUMNS 24U
#define ALPHA_SCALES 32U
#define ALPHA_MEAN 33U
#define ALPHA_ROWS 34U
#define ALPHA_COLUMNS 40U
#define GAIN 48U
#define PTAT25 49U
#define PTAT_SLOPES 50U
#define SUPPLY 51U
#define KV 52U
#define IL_CHESS 53U
#define KTA 54U
#define SCALES 56U
#define CP_ALPHA 57U
#define CP_OFFSET 58U
#define CP_DRIFT 59U
#define KS_TA_TGC 60U
#define KS_TO 61U
#define CORNERS 63U

static int32_t scaled(int32_t value, int32_t shift) {
  return value * (int32_t)(1U << shift);
}

static float power_of_two(int32_t exponent) {
  float power = 1.0F;
  for (; exponent > 0; exponent--) {
    power *= 2.0F;
  }
  return power;
}

static bool all_equal(const uint16_t eeprom[MLX90640_EEPROM_WORDS]) {
  for (uint32_t i = 1; i < MLX90640_EEPROM_WORDS; i++) {
    if (eeprom[i] != eeprom[0]) {
      return false;
    }
  }
  return true;
}

static bool is_bad(const struct mlx90640_plausibility *found, uint32_t pixel) {
  for (uint32_t i = 0; i < found->bad_count; i++) {
    if (found->bad[i] == pixel) {
      return true;
    }
  }
  return false;
}

static enum status extract_shared(const uint16_t eeprom[MLX90640_EEPROM_WORDS], struct mlx90640_constants *constants) {
  const int32_t gain = mlx90640_signed_field(eeprom[GAIN], 0, 16);
  const int32_t v_ptat25 = mlx90640_signed_field(eeprom[PTAT25], 0, 16);
  const int32_t kt_ptat = mlx90640_signed_field(eeprom[PTAT_SLOPES], 0, 10);
  const int32_t k_vdd = mlx90640_signed_field(eeprom[SUPPLY], 8, 8) * 32;
  const int32_t ks_ta = mlx90640_signed_field(eeprom[KS_TA_TGC], 8, 8);
  /* A slope of 0.008 a kelvin would turn the sensitivity's sign within the die's range: 0.008 x 8192 = 65.5. */
  if (gain <= 0 || v_ptat25 <= 0 || kt_ptat <= 0 || k_vdd >= 0 || ks_ta > 65 || ks_ta < -65) {
    return STATUS_BAD_EEPROM;
  }
  for (uint32_t i = 0; i < MLX90640_ID_BYTES; i++) {
    constants->device_id[i] = (uint8_t)mlx90640_field(eeprom[ID + i / 2U], i % 2U ? 0U : 8U, 8);
  }
  constants->chess_calibrated = !(eeprom[PATTERN] & 0x0800U);
  constants->resolution = (uint8_t)mlx90640_field(eeprom[SCALES], 12, 2);
  constants->vdd25 = (float)((mlx90640_field(eeprom[SUPPLY], 0, 8) - 256) * 32 - 8192);
  constants->k_vdd = (float)k_vdd;
  constants->kv_ptat = (float)mlx90640_signed_field(eeprom[PTAT_SLOPES], 10, 6) / 4096.0F;
  constants->per_kt_ptat = 8.0F / (float)kt_ptat;
  constants->v_ptat25 = (float)v_ptat25;
  constants->alpha_ptat = (float)mlx90640_field(eeprom[OFFSET_SCALES], 12, 4) / 4.0F + 8.0F;
  constants->gain = (float)gain;
  constants->tgc = (float)mlx90640_signed_field(eeprom[KS_TA_TGC], 0, 8) / 32.0F;
  constants->ks_ta = (float)ks_ta / 8192.0F;
  constants->cp_offset[0] = (float)mlx90640_signed_field(eeprom[CP_OFFSET], 0, 10);
  constants->cp_offset[1] = constants->cp_offset[0] + (float)mlx90640_signed_field(eeprom[CP_OFFSET], 10, 6);
  constants->cp_kta =
      (float)mlx90640_signed_field(eeprom[CP_DRIFT], 0, 8) / power_of_two(mlx90640_field(eeprom[SCALES], 4, 4) + 8);
  constants->cp_kv =
      (float)mlx90640_signed_field(eeprom[CP_DRIFT], 8, 8) / power_of_two(mlx90640_field(eeprom[SCALES], 8, 4));
  constants->cp_other = (float)mlx90640_signed_field(eeprom[IL_CHESS], 0, 6) / 16.0F;
  constants->il_chess_c[0] = (float)mlx90640_signed_field(eeprom[IL_CHESS], 6, 5) / 2.0F;
  constants->il_chess_c[1] = (float)mlx90640_signed_field(eeprom[IL_CHESS], 11, 5) / 8.0F;
  return STATUS_OK;
}

/* Sensitivity of the four object temperature ranges: each continues the one below at its corner. */
static enum status extract_ranges(const uint16_t eeprom[MLX90640_EEPROM_WORDS], struct mlx90640_constants *constants) {
  const int32_t step = mlx90640_field(eeprom[CORNERS], 12, 2) * 10;
  const int32_t third = mlx90640_field(eeprom[CORNERS], 4, 4) * step;
  const int32_t corner[4] = {-40, 0, third, third + mlx90640_field(eeprom[CORNERS], 8, 4) * step};
  const int32_t unit = (int32_t)(1U << (mlx90640_field(eeprom[CORNERS], 0, 4) + 8));
  const int32_t ks_to[4] = {
      mlx90640_signed_field(eeprom[KS_TO], 0, 8),
      mlx90640_signed_field(eeprom[KS_TO], 8, 8),
      mlx90640_signed_field(eeprom[KS_TO + 1U], 0, 8),
      mlx90640_signed_field(eeprom[KS_TO + 1U], 8, 8),
  };
  if (corner[2] <= 0 || corner[3] <= corner[2]) {
    return STATUS_BAD_EEPROM;
  }
  float change[3]; /* of the sensitivity across a range, 0.1 to 10 times */
  for (uint32_t i = 0; i < 3; i++) {
    const int32_t across = ks_to[i] * (corner[i + 1U] - corner[i]);
    if (10 * across <= -9 * unit || across >= 9 * unit) {
      return STATUS_BAD_EEPROM;
    }
    change[i] = 1.0F + (float)across / (float)unit;
  }
  const float start[4] = {1.0F / change[0], 1.0F, change[1], change[1] * change[2]};
  for (uint32_t i = 0; i < 4; i++) {
    const float slope = (float)ks_to[i] / (float)unit;
    constants->slope[i] = start[i] * slope;
    constants->level[i] = start[i] * (1.0F - slope * ((float)corner[i] + KELVIN));
  }
  for (uint32_t i = 0; i < 3; i++) {
    constants->corner[i] = (float)corner[i + 1U] + KELVIN;
  }
  return STATUS_OK;
}

/* How offsets change with die temperature and supply. Rows and columns of odd number in the datasheet, which counts
   from 1, are even ones here. */
static enum status extract_drift(const uint16_t eeprom[MLX90640_EEPROM_WORDS], struct mlx90640_constants *constants) {
  const int32_t kta_scale = mlx90640_field(eeprom[SCALES], 4, 4) + 8;
  const int32_t kv_scale = mlx90640_field(eeprom[SCALES], 8, 4);
  for (uint32_t row = 0; row < 2; row++) {
    for (uint32_t column = 0; column < 2; column++) {
      const int32_t kv = mlx90640_signed_field(eeprom[KV], 12U - 4U * row - 8U * column, 4);
      const int32_t mean = mlx90640_signed_field(eeprom[KTA + column], row ? 0U : 8U, 8);
      if (kv_scale == 0 && (kv > 4 || kv < -4)) {
        return STATUS_BAD_EEPROM;
      }
      constants->kv[row][column] = (float)kv / power_of_two(kv_scale);
      for (uint32_t own = 0; own < 8; own++) {
        const int32_t kta =
            mean + scaled(own < 4 ? (int32_t)own : (int32_t)own - 8, mlx90640_field(eeprom[SCALES], 0, 4));
        constants->kta[row][column][own] = (float)kta / power_of_two(kta_scale);
      }
    }
  }
  for (uint32_t i = 0; i < PIXELS; i++) {
    const float kta = constants->kta[i / COLUMNS % 2U][i % 2U][mlx90640_field(eeprom[MLX90640_FIRST_PIXEL + i], 1, 3)];
    if (kta > 0.25F || kta < -0.25F) {
      return STATUS_BAD_EEPROM;
    }
  }
  return STATUS_OK;
}

static void extract_offsets(const uint16_t eeprom[MLX90640_EEPROM_WORDS], struct mlx90640_constants *constants) {
  const int32_t mean = mlx90640_signed_field(eeprom[OFFSET_MEAN], 0, 16);
  for (uint32_t row = 0; row < ROWS; row++) {
    constants->row_offset[row] =
        mean + scaled(mlx90640_nibble(eeprom + OFFSET_ROWS, row), mlx90640_field(eeprom[OFFSET_SCALES], 8, 4));
  }
  for (uint32_t column = 0; column < COLUMNS; column++) {
    constants->column_offset[column] =
        scaled(mlx90640_nibble(eeprom + OFFSET_COLUMNS, column), mlx90640_field(eeprom[OFFSET_SCALES], 4, 4));
  }
  constants->offset_shift = (uint8_t)mlx90640_field(eeprom[OFFSET_SCALES], 0, 4);
  constants->pixel = eeprom + MLX90640_FIRST_PIXEL;
}

static enum status extract_sensitivities(const uint16_t eeprom[MLX90640_EEPROM_WORDS],
                                         struct mlx90640_constants *constants) {
  const int32_t row_scale = mlx90640_field(eeprom[ALPHA_SCALES], 8, 4);
  const int32_t column_scale = mlx90640_field(eeprom[ALPHA_SCALES], 4, 4);
  const int32_t own_scale = mlx90640_field(eeprom[ALPHA_SCALES], 0, 4);
  /* 1 count/K^4 in the unit of the sums below, which is 1024 times finer than that of the pixels' fields. */
  const float unit = power_of_two(mlx90640_field(eeprom[ALPHA_SCALES], 12, 4) + 40);
  /* TGC times the mean of the compensation pixels' sensitivities. */
  const int32_t compensation = mlx90640_signed_field(eeprom[KS_TA_TGC], 0, 8) *
                               mlx90640_signed_field(eeprom[CP_ALPHA], 0, 10) *
                               (256 + mlx90640_signed_field(eeprom[CP_ALPHA], 10, 6));
  constants->most_per_alpha = 0.0F;
  for (uint32_t i = 0; i < PIXELS; i++) {
    const int32_t counts = (int32_t)eeprom[ALPHA_MEAN] +
                           scaled(mlx90640_nibble(eeprom + ALPHA_ROWS, i / COLUMNS), row_scale) +
                           scaled(mlx90640_nibble(eeprom + ALPHA_COLUMNS, i % COLUMNS), column_scale) +
                           scaled(mlx90640_signed_field(eeprom[MLX90640_FIRST_PIXEL + i], 4, 6), own_scale);
    const int64_t alpha = (int64_t)counts * 1024 - compensation;
    constants->per_alpha[i] = 0.0F;
    if (!is_bad(&constants->found, i)) {
      if (alpha <= 0) {
        return STATUS_BAD_EEPROM;
      }
      constants->per_alpha[i] = unit / float32_of_unsigned((uint64_t)alpha);
      if (constants->per_alpha[i] > constants->most_per_alpha) {
        constants->most_per_alpha = constants->per_alpha[i];
      }
    }
  }
  return STATUS_OK;
}

enum status mlx90640_extract(const uint16_t eeprom[MLX90640_EEPROM_WORDS], struct mlx90640_constants *constants) {
  if (all_equal(eeprom)) {
    return STATUS_BAD_EEPROM; /* no sensor answered */
  }
  enum status status = mlx90640_check(eeprom, &constants->found);
  if (status == STATUS_OK) {
    status = extract_shared(eeprom, constants);
  }
  if (status == STATUS_OK) {
    status = extract_ranges(eeprom, constants);
  }
  if (status == STATUS_OK) {
    status = extract_drift(eeprom, constants);
  }
  if (status == STATUS_OK) {
    extract_offsets(eeprom, constants);
    status = extract_sensitivities(eeprom, constants);
  }
  return status;
}
