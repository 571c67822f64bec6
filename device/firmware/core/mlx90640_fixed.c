/* A pixel's equation in whole numbers; mlx90640_fixed.h has the formats. */
#include "mlx90640_fixed.h"

#include "float32.h"
#include "mlx90640_limits.h"
#include "multiply_high.h"
#include "units.h"

#define NOT_MEASURED 0x7FFFU
#define SIGNAL_BITS 15
#define FACTOR_BITS 30
#define KELVIN_BITS 21
#define RATIO_BITS 28
#define RADIANCE_BITS 8 /* radiances are in 256 K^4 */
#define LARGEST_OFFSET 8191
#define LARGEST_BACKGROUND 8192.0F
#define LARGEST_RADIANCE (1 << 30)
#define LARGEST_SHIFT 9 /* of a signal to its radiance: 1/2^15 count is 2^17 K^4 then */
#define LEAST_RATIO 0.5F
#define LARGEST_RATIO 2.0F
#define LEAST_KELVIN 150.0F
#define LARGEST_KELVIN 850.0F
#define SEGMENT_BITS 5
#define SEGMENTS (1U << SEGMENT_BITS)
#define MANTISSA_BITS 23
#define KELVIN_UNIT ((float)(1U << KELVIN_BITS))
#define COLDEST ((uint32_t)((KELVIN + MLX90640_COLDEST_OBJECT) * KELVIN_UNIT))
#define HOTTEST ((uint32_t)((KELVIN + MLX90640_HOTTEST_OBJECT) * KELVIN_UNIT))
#define ZERO_CELSIUS ((int32_t)(KELVIN * KELVIN_UNIT))

/* 4 x the fourth root of 2^28 (1 + i / 32) 2^octave, 1/2^21: two beyond an octave, so that a parabola fits each part.
 */
static const uint32_t fourth_roots[4][SEGMENTS + 2U] = {
    {1073741824U, 1082033882U, 1090139572U, 1098068382U, 1105829065U, 1113429712U, 1120877818U,
     1128180339U, 1135343749U, 1142374077U, 1149276954U, 1156057643U, 1162721075U, 1169271876U,
     1175714389U, 1182052701U, 1188290663U, 1194431905U, 1200479854U, 1206437754U, 1212308670U,
     1218095511U, 1223801033U, 1229427852U, 1234978458U, 1240455215U, 1245860377U, 1251196089U,
     1256464400U, 1261667262U, 1266806543U, 1271884025U, 1276901417U, 1281860351U},
    {1276901417U, 1286762392U, 1296401735U, 1305830732U, 1315059792U, 1324098536U, 1332955876U,
     1341640087U, 1350158864U, 1358519381U, 1366728330U, 1374791974U, 1382716175U, 1390506434U,
     1398167916U, 1405705483U, 1413123711U, 1420426919U, 1427619184U, 1434704361U, 1441686096U,
     1448567849U, 1455352895U, 1462044349U, 1468645169U, 1475158168U, 1481586024U, 1487931291U,
     1494196404U, 1500383685U, 1506495354U, 1512533532U, 1518500250U, 1524397449U},
    {1518500250U, 1530226991U, 1541690167U, 1552903198U, 1563878461U, 1574627400U, 1585160611U,
     1595487937U, 1605618528U, 1615560913U, 1625323055U, 1634912397U, 1644335914U, 1653600145U,
     1662711234U, 1671674962U, 1680496772U, 1689181799U, 1697734891U, 1706160634U, 1714463364U,
     1722647192U, 1730716018U, 1738673543U, 1746523284U, 1754268589U, 1761912641U, 1769458478U,
     1776908995U, 1784266953U, 1791534994U, 1798715638U, 1805811301U, 1812824293U},
    {1805811301U, 1819756826U, 1833388916U, 1846723532U, 1859775393U, 1872558107U, 1885084278U,
     1897365606U, 1909412977U, 1921236533U, 1932845741U, 1944249455U, 1955455968U, 1966473057U,
     1977308030U, 1987967758U, 1998458718U, 2008787014U, 2018958412U, 2028978365U, 2038852030U,
     2048584297U, 2058179803U, 2067642948U, 2076977916U, 2086188687U, 2095279049U, 2104252612U,
     2113112819U, 2121862956U, 2130506161U, 2139045435U, 2147483648U, 2155823547U},
};

/* A whole number times a factor of 1/2^30 below 2, 1/2^15. */
static inline int32_t scaled(int32_t value, int32_t factor) {
  return value * (factor >> SIGNAL_BITS) + ((value * (factor & 0x7FFF)) >> SIGNAL_BITS);
}

static inline bool fits(float value, float below) {
  return value > -below && value < below;
}

/* The fourth root of a radiance, 1/2^21 K: within 0.01 K, or within 0.0005 K by a parabola. */
static inline uint32_t root(uint32_t radiance, bool exactly) {
  uint32_t halvings = 0;
  while (radiance < 1U << 28) {
    radiance <<= 4;
    halvings++;
  }
  const uint32_t octave = radiance >> 30 ? 2U + (radiance >> 31) : radiance >> 29;
  const uint32_t rest = radiance << (4U - octave);
  const uint32_t *const at = &fourth_roots[octave][rest >> (32U - SEGMENT_BITS)];
  const int32_t part = (int32_t)(rest << SEGMENT_BITS >> 16);
  const int32_t step = (int32_t)(at[1] - at[0]);
  uint32_t kelvin = at[0] + (uint32_t)(((step >> 10) * part) >> 6);
  if (exactly) {
    const int32_t bend = step - (int32_t)(at[2] - at[1]); /* below 2^19 */
    kelvin += (uint32_t)((bend * ((part * (0x10000 - part)) >> 18)) >> 15);
  }
  return kelvin >> halvings;
}

/* 1 / ratio, from what it was for the pixel before, by Newton's steps: e' = e^2. 0 where there is none within 1/4 to 4.
 */
static inline uint32_t reciprocal(uint32_t ratio, uint32_t guess) {
  if (ratio <= 1U << (RATIO_BITS - 2) || ratio >= 1U << (RATIO_BITS + 2)) {
    return 0;
  }
  for (;;) {
    const int32_t error = (int32_t)((1U << 24) - multiply_high(ratio, guess)); /* 1/2^24 */
    if (error < 1 << 15 && error > -(1 << 15)) {
      return guess + (uint32_t)(((int32_t)(guess >> 14) * error) >> 10);
    }
    if (error < 1 << 23 && error > -(1 << 23)) {
      guess += (uint32_t)(((int32_t)(guess >> 14) * (error / 256)) >> 2);
    } else {
      guess = (0x80000000U / (ratio >> 12)) << 13;
    }
  }
}

/* Relative sensitivity at a temperature; unsigned, since what is far from any valid one may wrap. */
static inline uint32_t ratio_at(int32_t level, int32_t slope, uint32_t kelvin) {
  const int32_t below = (int32_t)(kelvin >> (KELVIN_BITS - 8) & 0xFFU);
  return (uint32_t)level + (kelvin >> KELVIN_BITS) * (uint32_t)slope + (uint32_t)((below * slope) >> 8);
}

/* Radiance over relative sensitivity, and what else the pixel sees; 0 where that is nothing. */
static inline uint32_t seen(int32_t x, uint32_t reciprocal, int32_t tatr) {
  const int32_t high = multiply_high_signed(x, reciprocal);
  if (high >= LARGEST_RADIANCE >> 4) {
    return LARGEST_RADIANCE;
  }
  const int32_t radiance = high > -(LARGEST_RADIANCE >> 4) ? high * 16 + tatr : 0;
  return radiance > 0 ? (uint32_t)radiance : 0;
}

/* Object temperature, 1/2^21 K, of x = signal / (sensitivity x emissivity); 0 where none gives it. */
static uint32_t solve(struct mlx90640_fixed *fixed, int32_t x) {
  const int32_t first = x + fixed->tatr;
  if (first <= 0) {
    return 0;
  }
  uint32_t per_ratio =
      reciprocal(ratio_at(fixed->level[1], fixed->slope[1], root((uint32_t)first, false)), fixed->reciprocal);
  const uint32_t second = per_ratio != 0 ? seen(x, per_ratio, fixed->tatr) : 0;
  if (second == 0) {
    return 0;
  }
  const uint32_t kelvin = root(second, false);
  const uint32_t range = kelvin < fixed->corner[0]   ? 0U
                         : kelvin < fixed->corner[1] ? 1U
                         : kelvin < fixed->corner[2] ? 2U
                                                     : 3U;
  per_ratio = reciprocal(ratio_at(fixed->level[range], fixed->slope[range], kelvin), per_ratio);
  const uint32_t third = per_ratio != 0 ? seen(x, per_ratio, fixed->tatr) : 0;
  if (third == 0) {
    return 0;
  }
  fixed->reciprocal = per_ratio;
  return root(third, true);
}

/* Signal to radiance by the float of 1 / sensitivity; LARGEST_RADIANCE where it is no valid pixel's. */
static inline int32_t radiance_of(int32_t signal, float per_alpha, int32_t exponent) {
  const uint32_t bits = (uint32_t)float32_bits(per_alpha);
  const int32_t whole = multiply_high_signed(signal, bits << 8 | 0x80000000U);
  const int32_t shift = (int32_t)(bits >> MANTISSA_BITS) + exponent;
  if (shift <= 0) {
    return shift > -31 ? whole >> -shift : 0;
  }
  const int32_t limit = LARGEST_RADIANCE >> shift;
  return whole < limit && whole > -limit ? whole * (1 << shift) : LARGEST_RADIANCE;
}

/* A difference of temperatures as a float: what is beyond 24 bits is cut off. */
static inline float celsius_of(uint32_t kelvin) {
  const int32_t celsius = (int32_t)kelvin - ZERO_CELSIUS;
  uint32_t size = celsius < 0 ? 0U - (uint32_t)celsius : (uint32_t)celsius;
  if (size == 0) {
    return 0.0F;
  }
  int32_t exponent = 127 + 31 - KELVIN_BITS;
  for (; size < 1U << 24; size <<= 8) {
    exponent -= 8;
  }
  for (; size < 1U << 31; size <<= 1) {
    exponent--;
  }
  const uint32_t sign = (uint32_t)celsius & 0x80000000U;
  return float32_of_bits((int32_t)(sign | (uint32_t)exponent << MANTISSA_BITS | (size >> 8 & 0x7FFFFFU)));
}

uint32_t mlx90640_fixed_row(struct mlx90640_fixed *fixed, const struct mlx90640_constants *constants,
                            const int32_t background[4], const int32_t drift[16], uint32_t row, uint32_t first,
                            uint32_t step, const uint16_t *counts, float *celsius) {
  const uint16_t *const pixel = constants->pixel + COLUMNS * row;
  const float *const per_alpha = constants->per_alpha + COLUMNS * row;
  const int32_t row_offset = constants->row_offset[row];
  const uint32_t offset_shift = constants->offset_shift;
  uint32_t valid = 0;
  for (uint32_t column = first; column < COLUMNS; column += step) {
    const uint32_t word = pixel[column];
    const int32_t offset =
        row_offset + constants->column_offset[column] + ((int16_t)word >> 10) * (int32_t)(1U << offset_shift);
    const int32_t signal = scaled((int16_t)counts[column], fixed->gain) - background[column % 4U] -
                           scaled(offset, drift[column % 2U * 8U + (word >> 1 & 7U)]);
    const int32_t x = radiance_of(signal, per_alpha[column], fixed->exponent);
    const uint32_t kelvin = x < LARGEST_RADIANCE ? solve(fixed, x) : 0;
    if (kelvin >= COLDEST && kelvin <= HOTTEST && counts[column] != NOT_MEASURED) {
      celsius[column] = celsius_of(kelvin);
      valid |= 1U << column;
    } else {
      celsius[column] = 0.0F;
    }
  }
  return valid;
}

/* Whole rows and columns move offsets alike, and a pixel's own field is -32 to 31. */
static bool offsets_fit(const struct mlx90640_constants *constants) {
  int32_t row[2] = {INT32_MAX, INT32_MIN};
  int32_t column[2] = {INT32_MAX, INT32_MIN};
  for (uint32_t i = 0; i < COLUMNS; i++) {
    const int32_t one = constants->column_offset[i];
    column[0] = one < column[0] ? one : column[0];
    column[1] = one > column[1] ? one : column[1];
  }
  for (uint32_t i = 0; i < ROWS; i++) {
    const int32_t one = constants->row_offset[i];
    row[0] = one < row[0] ? one : row[0];
    row[1] = one > row[1] ? one : row[1];
  }
  const int32_t own = (int32_t)(32U << constants->offset_shift);
  return row[0] + column[0] - own >= -LARGEST_OFFSET && row[1] + column[1] + own <= LARGEST_OFFSET;
}

static bool take_ranges(struct mlx90640_fixed *fixed, const struct mlx90640_constants *constants) {
  for (uint32_t i = 0; i < 4; i++) {
    const float level = constants->level[i];
    const float slope = constants->slope[i];
    const float cold = level + slope * LEAST_KELVIN;
    const float hot = level + slope * LARGEST_KELVIN;
    if (!fits(slope, 1.0F / 128.0F) || !fits(level, 7.0F) || !(cold > LEAST_RATIO && cold < LARGEST_RATIO) ||
        !(hot > LEAST_RATIO && hot < LARGEST_RATIO)) {
      return false;
    }
    fixed->level[i] = (int32_t)(level * (float)(1 << RATIO_BITS));
    fixed->slope[i] = (int32_t)(slope * (float)(1 << RATIO_BITS));
  }
  for (uint32_t i = 0; i < 3; i++) {
    const float corner = constants->corner[i];
    fixed->corner[i] = corner < 1023.0F ? (uint32_t)(corner * KELVIN_UNIT) : UINT32_MAX;
  }
  return true;
}

bool mlx90640_fixed_begin(struct mlx90640_fixed *fixed, const struct mlx90640_constants *constants, float gain,
                          float per_emissivity, float tatr) {
  float part = gain * per_emissivity;
  int32_t k = 0;
  for (; part >= 1.0F; part *= 0.5F) {
    k++;
  }
  for (; part < 0.5F; part *= 2.0F) {
    k--;
  }
  const float radiance = tatr / (float)(1 << RADIANCE_BITS);
  fixed->gain = (int32_t)(part * (float)(1 << FACTOR_BITS));
  fixed->tatr = (int32_t)radiance;
  fixed->part = part / gain;
  fixed->exponent = k - 127 - 22;
  fixed->reciprocal = 1U << RATIO_BITS;
  const int32_t largest = (float32_bits(constants->most_per_alpha) >> MANTISSA_BITS) + fixed->exponent;
  return radiance > -67108864.0F && radiance < 536870912.0F && largest <= LARGEST_SHIFT && offsets_fit(constants) &&
         take_ranges(fixed, constants);
}

static bool take(float part, const float *values, uint32_t count, float below, int32_t bits, int32_t *whole) {
  for (uint32_t i = 0; i < count; i++) {
    const float value = values[i] * part;
    if (!fits(value, below)) {
      return false;
    }
    whole[i] = (int32_t)(value * (float)(1U << bits));
  }
  return true;
}

bool mlx90640_fixed_drift(const struct mlx90640_fixed *fixed, const float *drift, uint32_t count, int32_t *whole) {
  return take(fixed->part, drift, count, 2.0F, FACTOR_BITS, whole);
}

bool mlx90640_fixed_background(const struct mlx90640_fixed *fixed, const float *background, uint32_t count,
                               int32_t *whole) {
  return take(fixed->part, background, count, LARGEST_BACKGROUND, SIGNAL_BITS, whole);
}
