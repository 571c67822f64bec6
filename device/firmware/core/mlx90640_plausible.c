/* The limits of thermo_core.mlx90640.plausible, decided in whole numbers. */
#include "mlx90640_plausible.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mlx90640_fields.h"
#include "subpage.h"

#define MAX_STRONG_DOUBTS 2U
#define LONGEST_RUN 7U
#define LARGEST_OFFSET 1024
#define OFFSET_TO_COMPENSATION 24
#define BEND 6
#define OUT_OF_LINE 25
#define CLIPPED 16
#define SMALLEST_KTA 80 /* 1/16384 per kelvin */
#define LARGEST_KTA 170
#define SMALLEST_KV 3 /* 1/16 per volt */
#define LARGEST_KV 12
#define MEAN_OFFSET 0x11U
#define KV 0x34U
#define KTA 0x36U
#define SCALES 0x38U
#define CP_OFFSET 0x3AU

/* A field and the values that known sensors hold. */
struct range {
  uint8_t word, shift, bits;
  bool is_signed, strong;
  int16_t low, high;
};

static const struct range ranges[] = {
    {0x10, 12, 4, false, true, 4, 4},      {0x10, 8, 4, false, true, 2, 3},
    {0x10, 4, 4, false, true, 0, 2},       {0x10, 0, 4, false, true, 0, 0},
    {0x11, 0, 16, true, true, -128, -16},  {0x20, 12, 4, false, true, 7, 8},
    {0x20, 8, 4, false, true, 8, 9},       {0x20, 4, 4, false, true, 9, 10},
    {0x20, 0, 4, false, true, 5, 6},       {0x21, 0, 16, false, true, 10240, 15360},
    {0x30, 0, 16, true, true, 5000, 7000}, {0x31, 0, 16, true, true, 12090, 12320},
    {0x32, 0, 10, true, true, 330, 352},   {0x32, 10, 6, true, true, 4, 16},
    {0x33, 8, 8, true, true, -108, -84},   {0x33, 0, 8, false, true, 104, 168},
    {0x38, 12, 2, false, false, 2, 2},     {0x3A, 0, 10, true, true, -100, -40},
    {0x3C, 8, 8, true, false, -32, -4},    {0x3C, 0, 8, true, false, -24, 24},
    {0x3D, 0, 8, true, false, -128, 0},    {0x3D, 8, 8, true, false, -128, 0},
    {0x3E, 0, 8, true, false, -128, 0},    {0x3E, 8, 8, true, false, -128, 0},
};

/* Corrections of rows and columns: first word, words, how many places on the next of the same kind is. */
static const uint8_t curves[][3] = {{0x12, 6, 2}, {0x18, 8, 4}, {0x22, 6, 1}, {0x28, 8, 1}};

struct doubts {
  uint32_t strong;
  uint32_t first; /* offset of the first word doubted; MLX90640_EEPROM_WORDS for none */
};

static void doubt(struct doubts *doubts, uint32_t word, bool strong) {
  doubts->strong += strong ? 1U : 0U;
  doubts->first = word < doubts->first ? word : doubts->first;
}

static bool has_run(const uint16_t eeprom[MLX90640_EEPROM_WORDS]) {
  uint32_t run = 1;
  for (uint32_t i = 1; i < MLX90640_EEPROM_WORDS; i++) {
    run = eeprom[i] == eeprom[i - 1] && eeprom[i] != 0 ? run + 1 : 1;
    if (run > LONGEST_RUN) {
      return true;
    }
  }
  return false;
}

static bool touch(uint32_t first, uint32_t second) {
  const int32_t rows = (int32_t)(first / COLUMNS) - (int32_t)(second / COLUMNS);
  const int32_t columns = (int32_t)(first % COLUMNS) - (int32_t)(second % COLUMNS);
  return rows >= -1 && rows <= 1 && columns >= -1 && columns <= 1;
}

/* A broken pixel's word is 0, an outlier's lowest bit is set. */
static bool is_bad(uint16_t word) {
  return word == 0 || (word & 1U) != 0;
}

static enum status find_bad_pixels(const uint16_t *pixels, struct mlx90640_plausibility *found) {
  for (uint32_t i = 0; i < PIXELS; i++) {
    if (is_bad(pixels[i])) {
      if (found->bad_count == MLX90640_MAX_BAD_PIXELS) {
        return STATUS_BAD_PIXELS;
      }
      found->bad[found->bad_count++] = (uint16_t)i;
    }
  }
  for (uint32_t second = 1; second < found->bad_count; second++) {
    for (uint32_t first = 0; first < second; first++) {
      if (touch(found->bad[first], found->bad[second])) {
        return STATUS_BAD_PIXELS;
      }
    }
  }
  return STATUS_OK;
}

/* Good pixels whose offset is out of line with those of all others. */
static enum status find_doubtful_pixels(const uint16_t *pixels, struct mlx90640_plausibility *found) {
  int32_t count = 0;
  int32_t spread = 0;
  for (uint32_t i = 0; i < PIXELS; i++) {
    if (!is_bad(pixels[i])) {
      const int32_t size = abs(mlx90640_signed_field(pixels[i], 10, 6));
      spread += size < CLIPPED ? size * size : CLIPPED * CLIPPED;
      count++;
    }
  }
  for (uint32_t i = 0; i < PIXELS; i++) {
    const int32_t offset = mlx90640_signed_field(pixels[i], 10, 6);
    if (!is_bad(pixels[i]) && offset * offset * count > OUT_OF_LINE * spread) {
      if (found->doubtful_count == MLX90640_MAX_DOUBTFUL_PIXELS) {
        return STATUS_BAD_EEPROM;
      }
      found->bad[found->bad_count++] = (uint16_t)i;
      found->doubtful_count++;
    }
  }
  return STATUS_OK;
}

/* value * 2^shift, rounded down; value is not negative. */
static int32_t scaled(int32_t value, int32_t shift) {
  return shift >= 0 ? value << shift : value >> -shift;
}

/* How offsets change with die temperature and supply, by parity of row and column. */
static void doubt_drifts(const uint16_t *eeprom, struct doubts *doubts) {
  int32_t smallest = INT16_MAX;
  int32_t largest = 0;
  bool strange_kta = false;
  bool strange_kv = false;
  for (uint32_t i = 0; i < 4; i++) {
    const int32_t kta = mlx90640_signed_field(eeprom[KTA + i / 2U], 8U - i % 2U * 8U, 8);
    const int32_t kv = mlx90640_signed_field(eeprom[KV], 12U - 4U * i, 4);
    const int32_t normal_kta = kta < 0 ? 0 : scaled(kta, 6 - mlx90640_field(eeprom[SCALES], 4, 4));
    const int32_t normal_kv = kv < 0 ? 0 : scaled(kv, 4 - mlx90640_field(eeprom[SCALES], 8, 4));
    strange_kta = strange_kta || normal_kta < SMALLEST_KTA || normal_kta > LARGEST_KTA;
    strange_kv = strange_kv || normal_kv < SMALLEST_KV || normal_kv > LARGEST_KV;
    smallest = kta < smallest ? kta : smallest;
    largest = kta > largest ? kta : largest;
  }
  if (strange_kta || 2 * largest > 3 * smallest) {
    doubt(doubts, KTA, true);
  }
  if (strange_kv) {
    doubt(doubts, KV, true);
  }
}

static void doubt_curve(const uint16_t *eeprom, const uint8_t curve[3], struct doubts *doubts) {
  const uint16_t *const words = eeprom + curve[0];
  const uint32_t step = curve[2];
  for (uint32_t i = 0; i + 2U * step < 4U * curve[1]; i++) {
    const int32_t bend =
        mlx90640_nibble(words, i) - 2 * mlx90640_nibble(words, i + step) + mlx90640_nibble(words, i + 2U * step);
    if (abs(bend) >= BEND) {
      doubt(doubts, curve[0] + (i + step) / 4U, false);
      return;
    }
  }
}

static void doubt_header(const uint16_t *eeprom, struct doubts *doubts) {
  for (uint32_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
    const struct range *const known = &ranges[i];
    const int32_t value = known->is_signed ? mlx90640_signed_field(eeprom[known->word], known->shift, known->bits)
                                           : mlx90640_field(eeprom[known->word], known->shift, known->bits);
    if (value < known->low || value > known->high) {
      doubt(doubts, known->word, known->strong);
    }
  }
  const int32_t mean = mlx90640_signed_field(eeprom[MEAN_OFFSET], 0, 16);
  if (abs(mean - mlx90640_signed_field(eeprom[CP_OFFSET], 0, 10)) > OFFSET_TO_COMPENSATION) {
    doubt(doubts, MEAN_OFFSET, true);
  }
  doubt_drifts(eeprom, doubts);
  for (uint32_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
    doubt_curve(eeprom, curves[i], doubts);
  }
}

enum status mlx90640_check(const uint16_t eeprom[MLX90640_EEPROM_WORDS], struct mlx90640_plausibility *found) {
  struct doubts doubts = {.first = MLX90640_EEPROM_WORDS};
  memset(found, 0, sizeof *found);
  enum status status = find_bad_pixels(eeprom + MLX90640_FIRST_PIXEL, found);
  if (status == STATUS_OK) {
    status = find_doubtful_pixels(eeprom + MLX90640_FIRST_PIXEL, found);
  }
  if (status != STATUS_OK) {
    return status;
  }
  doubt_header(eeprom, &doubts);
  const int32_t offset = mlx90640_signed_field(eeprom[MEAN_OFFSET], 0, 16);
  if (has_run(eeprom) || abs(offset) > LARGEST_OFFSET || doubts.strong > MAX_STRONG_DOUBTS) {
    return STATUS_BAD_EEPROM;
  }
  if (found->doubtful_count > 0) {
    doubt(&doubts, MLX90640_FIRST_PIXEL + found->bad[found->bad_count - found->doubtful_count], false);
  }
  found->doubt = doubts.first < MLX90640_EEPROM_WORDS ? (uint16_t)(MLX90640_EEPROM + doubts.first) : 0;
  return STATUS_OK;
}
