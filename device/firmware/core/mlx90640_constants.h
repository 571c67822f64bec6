/* From the MLX90640's EEPROM to the constants of its equations (datasheet section 11.2.2). */
#ifndef MLX90640_CONSTANTS_H
#define MLX90640_CONSTANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "mlx90640_plausible.h"
#include "mlx90640_registers.h"
#include "status.h"
#include "subpage.h"

#define MLX90640_ID_BYTES 6

/* All that stays the same between two subpages of one sensor, so that decoding divides and shifts little. A pixel's
   offset and temperature drift stay packed as the EEPROM holds them: any EEPROM that is accepted fits without rounding.
 */
struct mlx90640_constants {
  uint8_t device_id[MLX90640_ID_BYTES];
  struct mlx90640_plausibility found; /* its bad pixels, and whether its words are doubted */
  bool chess_calibrated;
  uint8_t resolution; /* code the constants refer to: 0 is 16 bit, 3 is 19 bit */

  float vdd25;              /* counts */
  float k_vdd;              /* counts/V */
  float kv_ptat;            /* 1/V */
  float per_kt_ptat;        /* K/count */
  float v_ptat25;           /* counts */
  float alpha_ptat;         /* dimensionless */
  float gain;               /* counts */
  float tgc;                /* weight of the compensation pixels */
  float cp_offset[2];       /* counts, in the calibrated pattern */
  float cp_other;           /* counts, added to cp_offset[1] in the other pattern */
  float cp_kta, cp_kv;      /* 1/K, 1/V */
  float ks_ta;              /* 1/K */
  float corner[3];          /* lower ends of the second to fourth object temperature range, K */
  float level[4];           /* sensitivity in each range is level + slope * (object temperature in K) */
  float slope[4];           /* 1/K */
  float il_chess_c[2];      /* counts, corrections in the reading pattern that was not calibrated: C2 and C3 */
  float kta[2][2][8];       /* 1/K, by parity of row and column and by the pixel's own field */
  float kv[2][2];           /* 1/V, by parity of row and column */
  int32_t row_offset[ROWS]; /* counts */
  int32_t column_offset[COLUMNS];
  uint8_t offset_shift;
  const uint16_t *pixel;   /* the EEPROM's own words: bits 15-10 are part of the offset, bits 3-1 select kta */
  float per_alpha[PIXELS]; /* K^4/count; 0 for bad pixels */
  float most_per_alpha;    /* the largest of them */
};

/* Extract and check all constants of the 832 words 0x2400-0x273F. Returns OK, BAD_PIXELS (more than 4 broken and
   outlier pixels, or two that touch) or BAD_EEPROM (a word no healthy sensor holds); the constants are of use after OK
   alone, and as long as the words stay where they are. */
enum status mlx90640_extract(const uint16_t eeprom[MLX90640_EEPROM_WORDS], struct mlx90640_constants *constants);

#endif
