/* Doubtful words: jumps beyond six robust standard deviations (from the median absolute deviation) that stand alone. */
#include "plausibility.h"

#include <stdlib.h>
#include <string.h>

#include "float32.h"
#include "kth.h"
#include "mlx90640_registers.h"

/* Counts at 18 bit: about 2 K at body temperature. */
#define SMALLEST_JUMP 12
/* Six standard deviations, from the median absolute deviation: 6 x 1.4826. */
#define LIMIT_PER_DEVIATION 8.8956F
/* Counts at 18 bit; a used auxiliary word moves by a few between two pages. */
#define AUXILIARY_JUMP 48

static const uint8_t used_auxiliary[] = {
    MLX90640_VBE - MLX90640_AUXILIARY,  MLX90640_CP_0 - MLX90640_AUXILIARY, MLX90640_GAIN - MLX90640_AUXILIARY,
    MLX90640_PTAT - MLX90640_AUXILIARY, MLX90640_CP_1 - MLX90640_AUXILIARY, MLX90640_VDD - MLX90640_AUXILIARY,
};

static int32_t change(uint16_t now, uint16_t before) {
  return (int32_t)(int16_t)now - (int32_t)(int16_t)before;
}

/* A page beside the last one of its subpage. */
struct pair {
  const uint16_t *ram;
  const struct own_words *before;
  bool chess;
  int32_t median; /* of all changes */
};

/* Own pixel at a place of the picture; the place must be one. */
static uint32_t own_index(uint32_t row, uint32_t column, bool chess) {
  return chess ? row * (COLUMNS / 2U) + column / 2U : (row / 2U) * COLUMNS + column;
}

/* How far a pixel moved from where all of them moved. */
static int32_t jump(const struct pair *pair, uint32_t row, uint32_t column) {
  const uint16_t now = pair->ram[row * COLUMNS + column];
  return abs(change(now, pair->before->pixels[own_index(row, column, pair->chess)]) - pair->median);
}

/* Largest jump among the nearest own pixels around one: diagonal ones in chess pattern, those of its row otherwise. */
static int32_t neighbours(const struct pair *pair, uint32_t row, uint32_t column) {
  int32_t largest = 0;
  for (uint32_t side = 0; side < 4; side++) {
    const uint32_t r = pair->chess ? row + (side & 1U ? 1U : UINT32_MAX) : row;
    const uint32_t c = column + (side & 2U ? 1U : UINT32_MAX);
    if (r < ROWS && c < COLUMNS) { /* one before the first wraps to a large number */
      const int32_t there = jump(pair, r, c);
      largest = there > largest ? there : largest;
    }
  }
  return largest;
}

static void mark(uint32_t doubtful[PLAUSIBILITY_WORDS], uint32_t index) {
  doubtful[index / 32U] |= 1U << (index % 32U);
}

bool plausibility_same(const struct own_words *kept, const uint16_t ram[RAM_WORDS], uint32_t number, uint16_t control) {
  bool same = memcmp(kept->auxiliary, ram + PIXELS, sizeof kept->auxiliary) == 0;
  for (uint32_t own = 0; same && own < OWN_PIXELS; own++) {
    same = kept->pixels[own] == ram[subpage_pixel(own, number, mlx90640_chess(control))];
  }
  return same;
}

void plausibility_keep(struct own_words *kept, const uint16_t ram[RAM_WORDS], uint32_t number, uint16_t control) {
  const bool chess = mlx90640_chess(control);
  for (uint32_t own = 0; own < OWN_PIXELS; own++) {
    kept->pixels[own] = ram[subpage_pixel(own, number, chess)];
  }
  memcpy(kept->auxiliary, ram + PIXELS, sizeof kept->auxiliary);
}

size_t plausibility_check(const uint16_t ram[RAM_WORDS], const struct own_words *before, uint32_t number,
                          uint16_t control, struct plausibility_scratch *scratch,
                          uint32_t doubtful[PLAUSIBILITY_WORDS]) {
  const uint8_t resolution = mlx90640_resolution_code(control);
  struct pair pair = {.ram = ram, .before = before, .chess = mlx90640_chess(control)};
  memset(doubtful, 0, PLAUSIBILITY_WORDS * sizeof *doubtful);
  for (uint32_t own = 0; own < OWN_PIXELS; own++) {
    scratch->order[own] = change(ram[subpage_pixel(own, number, pair.chess)], before->pixels[own]);
  }
  pair.median = (int32_t)(kth_middle_sum(scratch->order, OWN_PIXELS) / 2);
  int32_t largest = 0;
  for (uint32_t own = 0; own < OWN_PIXELS; own++) {
    scratch->order[own] = abs(scratch->order[own] - pair.median);
    largest = scratch->order[own] > largest ? scratch->order[own] : largest;
  }
  const float noise =
      LIMIT_PER_DEVIATION * float32_of_unsigned((uint64_t)kth_middle_sum(scratch->order, OWN_PIXELS)) / 2.0F;
  const float smallest = (float)(SMALLEST_JUMP << resolution) / 4.0F;
  const float limit = noise > smallest ? noise : smallest;
  size_t found = 0;
  for (uint32_t own = 0; own < OWN_PIXELS && (float)largest > limit; own++) {
    const uint32_t pixel = subpage_pixel(own, number, pair.chess);
    const int32_t here = jump(&pair, pixel / COLUMNS, pixel % COLUMNS);
    if ((float)here > limit && here > 2 * neighbours(&pair, pixel / COLUMNS, pixel % COLUMNS)) {
      mark(doubtful, pixel);
      found++;
    }
  }
  const int32_t allowed = resolution == 3 ? 2 * AUXILIARY_JUMP : AUXILIARY_JUMP;
  for (uint32_t i = 0; i < sizeof used_auxiliary; i++) {
    const uint32_t at = used_auxiliary[i];
    if (abs(change(ram[PIXELS + at], before->auxiliary[at])) > allowed) {
      mark(doubtful, PIXELS + at);
      found++;
    }
  }
  return found;
}
