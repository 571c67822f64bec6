/* Auxiliary words to conditions, and counts to temperatures in three passes: each takes the sensitivity at the
   temperature the one before gave. */
#include "mlx90640_decode.h"

#include <math.h>
#include <string.h>

#include "float32.h"
#include "mlx90640_fixed.h"
#include "mlx90640_limits.h"
#include "mlx90640_registers.h"
#include "units.h"

#define KELVIN_25 298.15F
#define OPEN_AIR_K 8.0F
#define NOT_MEASURED 0x7FFFU
#define COLDEST (KELVIN + MLX90640_COLDEST_OBJECT)
#define HOTTEST (KELVIN + MLX90640_HOTTEST_OBJECT)

/* Auxiliary words that read 0x7FFF on a healthy sensor, one bit each: 0x01-0x07, 0x13, 0x17, 0x21-0x27, 0x33, 0x37. */
static const uint32_t unused_auxiliary[2] = {0x008800FEU, 0x008800FEU};

static int32_t auxiliary(const uint16_t ram[RAM_WORDS], uint32_t address) {
  return (int16_t)ram[address - MLX90640_RAM];
}

static bool all_measured(const uint16_t ram[RAM_WORDS]) {
  for (uint32_t i = 0; i < AUXILIARY_WORDS; i++) {
    if (ram[PIXELS + i] == NOT_MEASURED && !(unused_auxiliary[i / 32U] >> (i % 32U) & 1U)) {
      return false;
    }
  }
  return true;
}

enum status mlx90640_read_conditions(const struct mlx90640_constants *constants, const uint16_t ram[RAM_WORDS],
                                     uint16_t control, uint8_t number, struct mlx90640_conditions *conditions) {
  static const float finer[7] = {0.125F, 0.25F, 0.5F, 1.0F, 2.0F, 4.0F, 8.0F};
  if (number > 1) {
    return STATUS_ARGUMENT;
  }
  if (!all_measured(ram)) {
    return STATUS_BAD_AUXILIARY;
  }
  const float resolution = finer[3U + (constants->resolution & 3U) - mlx90640_resolution_code(control)];
  const float dv = ((float)auxiliary(ram, MLX90640_VDD) * resolution - constants->vdd25) / constants->k_vdd;
  if (!(dv > -0.9F && dv < 0.9F)) {
    return STATUS_BAD_AUXILIARY;
  }
  const float ptat = (float)auxiliary(ram, MLX90640_PTAT);
  const float divisor = ptat * constants->alpha_ptat + (float)auxiliary(ram, MLX90640_VBE);
  if (ptat <= 0.0F || divisor <= 0.0F) {
    return STATUS_BAD_AUXILIARY;
  }
  const float v_ptat = ptat / divisor * 262144.0F / (1.0F + constants->kv_ptat * dv);
  const float dta = (v_ptat - constants->v_ptat25) * constants->per_kt_ptat;
  if (!(dta > -85.0F && dta < 105.0F)) {
    return STATUS_BAD_AUXILIARY;
  }
  const float gain_counts = (float)auxiliary(ram, MLX90640_GAIN);
  const float ratio = gain_counts * resolution / constants->gain;
  if (!(ratio > 0.25F && ratio < 4.0F)) {
    return STATUS_BAD_AUXILIARY;
  }
  const bool chess = mlx90640_chess(control);
  conditions->number = number;
  conditions->chess = chess;
  conditions->dta = dta;
  conditions->dv = dv;
  conditions->ta = dta + 25.0F;
  conditions->vdd = dv + 3.3F;
  conditions->gain = constants->gain / gain_counts;
  conditions->compensation = 0.0F;
  if (constants->tgc < 0.0F || constants->tgc > 0.0F) {
    const float counts = (float)auxiliary(ram, number ? MLX90640_CP_1 : MLX90640_CP_0);
    const float drift = (1.0F + constants->cp_kta * dta) * (1.0F + constants->cp_kv * dv);
    float offset = constants->cp_offset[number];
    if (number && chess != constants->chess_calibrated) {
      offset += constants->cp_other;
    }
    conditions->compensation = constants->tgc * (counts * conditions->gain - offset * drift);
  }
  return STATUS_OK;
}

/* What is the same for all pixels of a subpage. */
struct shared {
  float gain;
  float per_emissivity; /* 1 / (emissivity x what die temperature makes of the sensitivity) */
  float tatr;           /* what a pixel sees besides the object's own radiance, over the emissivity, K^4 */
};

static float fourth_power(float value) {
  return value * value * value * value;
}

static float fourth_root(float value) {
  return sqrtf(sqrtf(value));
}

/* Object temperature, K, of x = signal / (sensitivity x emissivity); NaN or infinity where none gives it. */
static float solve(const struct mlx90640_constants *constants, float x, float tatr) {
  float kelvin = fourth_root(x + tatr);
  kelvin = fourth_root(x / (constants->level[1] + constants->slope[1] * kelvin) + tatr);
  float level = constants->level[1];
  float slope = constants->slope[1];
  if (!(kelvin >= constants->corner[0] && kelvin < constants->corner[1])) {
    const uint32_t range = kelvin < constants->corner[0] ? 0U : kelvin < constants->corner[2] ? 2U : 3U;
    level = constants->level[range];
    slope = constants->slope[range];
  }
  return fourth_root(x / (level + slope * kelvin) + tatr);
}

/* Own pixels of one row, from `first` in steps of `step`; returns the valid ones. `background` is by column modulo 4,
   `drift` by parity of the column and the pixel's own field. */
static inline uint32_t decode_row(const struct mlx90640_constants *constants, const struct shared *shared,
                                  const float background[4], const float drift[16], uint32_t row, uint32_t first,
                                  uint32_t step, const uint16_t *counts, float *celsius) {
  const uint16_t *const pixel = constants->pixel + COLUMNS * row;
  const float *const per_alpha = constants->per_alpha + COLUMNS * row;
  const int32_t row_offset = constants->row_offset[row];
  const int32_t own_offset = (int32_t)(1U << constants->offset_shift);
  uint32_t valid = 0;
  for (uint32_t column = first; column < COLUMNS; column += step) {
    const uint32_t word = pixel[column];
    const int32_t offset = row_offset + constants->column_offset[column] + ((int16_t)word >> 10) * own_offset;
    const float signal = (float)(int16_t)counts[column] * shared->gain - background[column % 4U] -
                         (float)offset * drift[column % 2U * 8U + (word >> 1 & 7U)];
    const float kelvin = solve(constants, signal * per_alpha[column] * shared->per_emissivity, shared->tatr);
    if (kelvin >= COLDEST && kelvin <= HOTTEST && counts[column] != NOT_MEASURED) {
      celsius[column] = kelvin - KELVIN;
      valid |= 1U << column;
    } else {
      celsius[column] = 0.0F;
    }
  }
  return valid;
}

/* What differs between pixels only by parity of row and column, a column's place in four, and the pixel's own field. */
struct terms {
  float background[2][4]; /* by parity of the row and column modulo 4, counts */
  float drift[2][16];     /* by parity of the row, of the column, and own field */
};

static void find_terms(const struct mlx90640_constants *constants, const struct mlx90640_conditions *conditions,
                       struct terms *terms) {
  const bool converted = conditions->chess != constants->chess_calibrated;
  for (uint32_t i = 0; i < 4; i++) {
    const float supply = 1.0F + constants->kv[i / 2U][i % 2U] * conditions->dv;
    for (uint32_t own = 0; own < 8; own++) {
      terms->drift[i / 2U][i % 2U * 8U + own] = supply * (1.0F + constants->kta[i / 2U][i % 2U][own] * conditions->dta);
    }
  }
  for (uint32_t row = 0; row < 2; row++) {
    float *const background = terms->background[row];
    for (uint32_t i = 0; i < 4; i++) {
      background[i] = conditions->compensation;
    }
    if (converted) { /* read in the pattern that was not calibrated */
      const float sign = row ? 1.0F : -1.0F;
      background[0] -= constants->il_chess_c[1] * sign;
      background[1] -= (constants->il_chess_c[1] - constants->il_chess_c[0]) * sign;
      background[2] -= constants->il_chess_c[1] * sign;
      background[3] -= (constants->il_chess_c[1] + constants->il_chess_c[0]) * sign;
    }
  }
}

/* The same for decoding in whole numbers. */
struct whole_terms {
  struct mlx90640_fixed fixed;
  int32_t background[2][4];
  int32_t drift[2][16];
};

static bool whole_terms_of(const struct mlx90640_constants *constants, const struct shared *shared,
                           const struct terms *terms, struct whole_terms *whole) {
  return mlx90640_fixed_begin(&whole->fixed, constants, shared->gain, shared->per_emissivity, shared->tatr) &&
         mlx90640_fixed_background(&whole->fixed, terms->background[0], 8, whole->background[0]) &&
         mlx90640_fixed_drift(&whole->fixed, terms->drift[0], 32, whole->drift[0]);
}

/* Decode all own pixels; returns the valid ones of any row. */
static uint32_t decode_rows(const struct mlx90640_constants *constants, const struct shared *shared,
                            const uint16_t ram[RAM_WORDS], const struct mlx90640_conditions *conditions,
                            float celsius[PIXELS], uint32_t valid[ROWS]) {
  static const uint32_t own_columns[2] = {0x55555555U, 0xAAAAAAAAU};
  struct terms terms;
  find_terms(constants, conditions, &terms);
  struct whole_terms whole;
  const bool in_whole = FLOAT32_SOFT && whole_terms_of(constants, shared, &terms, &whole);
  const uint32_t step = conditions->chess ? 2U : 1U;
  uint32_t any = 0;
  for (uint32_t row = conditions->chess ? 0U : conditions->number; row < ROWS; row += conditions->chess ? 1U : 2U) {
    const uint32_t first = conditions->chess ? (row + conditions->number) % 2U : 0U;
    const uint16_t *const counts = ram + COLUMNS * row;
    float *const found_celsius = celsius + COLUMNS * row;
    uint32_t found = in_whole ? mlx90640_fixed_row(&whole.fixed, constants, whole.background[row % 2U],
                                                   whole.drift[row % 2U], row, first, step, counts, found_celsius)
                              : decode_row(constants, shared, terms.background[row % 2U], terms.drift[row % 2U], row,
                                           first, step, counts, found_celsius);
    for (uint32_t i = 0; i < constants->found.bad_count; i++) {
      const uint32_t pixel = constants->found.bad[i];
      const uint32_t bit = 1U << (pixel % COLUMNS);
      if (pixel / COLUMNS == row && (found & bit)) {
        celsius[pixel] = 0.0F;
        found &= ~bit;
      }
    }
    valid[row] = (valid[row] & ~(conditions->chess ? own_columns[first] : UINT32_MAX)) | found;
    any |= found;
  }
  return any;
}

enum status mlx90640_decode(const struct mlx90640_constants *constants, const struct mlx90640_optics *optics,
                            const uint16_t ram[RAM_WORDS], const struct mlx90640_conditions *conditions,
                            float celsius[PIXELS], uint32_t valid[ROWS]) {
  const float emissivity = optics->emissivity;
  const float reflected = isnan(optics->reflected_celsius) ? conditions->ta - OPEN_AIR_K : optics->reflected_celsius;
  if (!(emissivity >= MLX90640_LOWEST_EMISSIVITY && emissivity <= 1.0F) ||
      !(reflected >= MLX90640_COLDEST_REFLECTED && reflected <= MLX90640_HOTTEST_REFLECTED)) {
    return STATUS_ARGUMENT;
  }
  const float tr4 = fourth_power(reflected + KELVIN);
  const struct shared shared = {
      .gain = conditions->gain,
      .per_emissivity = 1.0F / (emissivity * (1.0F + constants->ks_ta * conditions->dta)),
      .tatr = tr4 - (tr4 - fourth_power(conditions->dta + KELVIN_25)) / emissivity,
  };
  return decode_rows(constants, &shared, ram, conditions, celsius, valid) ? STATUS_OK : STATUS_UNDECODABLE;
}
