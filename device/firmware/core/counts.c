/* Prediction, Rice codes in two planes, and the choice of their parameter. */
#include "counts.h"

#include <string.h>

#include "bit_writer.h"
#include "bytes.h"
#include "mlx90640_registers.h"

#define RAW 15U /* in place of a Rice parameter: the block is not coded */
#define LARGEST_PARAMETER 14U

static uint32_t sum_shifted(const uint16_t *values, uint32_t count, uint32_t shift) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < count; i++) {
    sum += (uint32_t)values[i] >> shift;
  }
  return sum;
}

/* Rice codes of some values: the smallest parameter that makes them shortest, and their planes' lengths in bytes. */
struct rice {
  uint32_t k;
  uint32_t low_bytes;
  uint32_t unary_bytes;
};

/* The length of all codes is convex in k, since each step halves what is left of a value, rounding down. So a walk
   downhill from the mean's logarithm ends at the least. `sum` is that of the values. */
static struct rice choose(const uint16_t *values, uint32_t count, uint32_t sum) {
  uint32_t k = 0;
  while (k < LARGEST_PARAMETER && count << (k + 1U) <= sum) {
    k++;
  }
  uint32_t zeros = sum_shifted(values, count, k);
  bool down = false;
  while (k > 0) {
    const uint32_t finer = sum_shifted(values, count, k - 1U);
    if (finer > zeros + count) {
      break;
    }
    zeros = finer;
    k--;
    down = true;
  }
  while (!down && k < LARGEST_PARAMETER) {
    const uint32_t coarser = sum_shifted(values, count, k + 1U);
    if (coarser + count >= zeros) {
      break;
    }
    zeros = coarser;
    k++;
  }
  return (struct rice){.k = k, .low_bytes = (count * k + 7U) / 8U, .unary_bytes = (zeros + count + 7U) / 8U};
}

/* Write both planes; returns where the next byte goes. */
static uint8_t *write_planes(const uint16_t *values, uint32_t count, const struct rice *rice, uint8_t *to) {
  struct bit_writer low = {.to = to, .bits = 0, .room = 32};
  struct bit_writer unary = {.to = to + rice->low_bytes, .bits = 0, .room = 32};
  const uint32_t k = rice->k;
  const uint32_t mask = (1U << k) - 1U;
  if (k == 0) {
    for (uint32_t i = 0; i < count; i++) {
      bit_writer_put_unary(&unary, values[i]);
    }
  } else {
    for (uint32_t i = 0; i < count; i++) {
      const uint32_t value = values[i];
      bit_writer_put(&low, value & mask, k);
      bit_writer_put_unary(&unary, value >> k);
    }
  }
  bit_writer_finish(&low);
  return bit_writer_finish(&unary);
}

/* Residuals of a key frame to the own pixel 32 places before, which is in the same column whatever the pattern; the
   first 32 to the one before, the very first to 0. Returns their sum as signed numbers. */
static int32_t key_residuals(const uint16_t own[OWN_PIXELS], uint16_t residuals[OWN_PIXELS]) {
  int32_t sum = 0;
  uint16_t before = 0;
  for (uint32_t i = 0; i < COLUMNS; i++) {
    residuals[i] = (uint16_t)(own[i] - before);
    before = own[i];
    sum += (int16_t)residuals[i];
  }
  for (uint32_t i = COLUMNS; i < OWN_PIXELS; i++) {
    residuals[i] = (uint16_t)(own[i] - own[i - COLUMNS]);
    sum += (int16_t)residuals[i];
  }
  return sum;
}

/* Where the own pixels of `ram` lie: `runs` stretches of `length` pixels, `step` words apart, each `stride` words after
   the one before. Chess pattern shifts every second stretch by one. */
struct layout {
  uint32_t runs, length, step, stride, start, other_start;
};

static struct layout own_layout(uint32_t number, bool chess) {
  if (chess) {
    return (struct layout){ROWS, COLUMNS / 2U, 2, COLUMNS, number, 1U - number};
  }
  return (struct layout){ROWS / 2U, COLUMNS, 1, 2U * COLUMNS, number * COLUMNS, number * COLUMNS};
}

static void gather(const uint16_t ram[RAM_WORDS], const struct layout *layout, uint16_t own[OWN_PIXELS]) {
  for (uint32_t run = 0; run < layout->runs; run++) {
    const uint16_t *from = ram + run * layout->stride + (run % 2U ? layout->other_start : layout->start);
    for (uint32_t i = 0; i < layout->length; i++, from += layout->step) {
      *own++ = *from;
    }
  }
}

/* Residuals to the own pixels of a key frame; returns their sum as signed numbers. */
static int32_t differences(const uint16_t ram[RAM_WORDS], const struct layout *layout, const uint16_t key[OWN_PIXELS],
                           uint16_t residuals[OWN_PIXELS]) {
  int32_t sum = 0;
  for (uint32_t run = 0; run < layout->runs; run++) {
    const uint16_t *from = ram + run * layout->stride + (run % 2U ? layout->other_start : layout->start);
    for (uint32_t i = 0; i < layout->length; i++, from += layout->step) {
      const uint16_t residual = (uint16_t)(*from - *key++);
      *residuals++ = residual;
      sum += (int16_t)residual;
    }
  }
  return sum;
}

/* Mean residual, rounded to the nearest, halves up, as far as it fits a byte. */
static int32_t common_offset(int32_t sum) {
  const int32_t doubled = 2 * sum + (int32_t)OWN_PIXELS;
  const int32_t divisor = 2 * (int32_t)OWN_PIXELS;
  const int32_t mean = doubled / divisor - (doubled % divisor < 0 ? 1 : 0);
  return mean < -128 ? -128 : mean > 127 ? 127 : mean;
}

/* 0, -1, 1, -2 to 0, 1, 2, 3. */
static inline uint32_t fold(uint16_t residual) {
  const uint32_t sign = residual & 0x8000U ? 0xFFFFU : 0U;
  return ((uint32_t)residual << 1 ^ sign) & 0xFFFFU;
}

static uint8_t *store_words(const uint16_t *words, uint32_t count, uint8_t *to) {
  for (uint32_t i = 0; i < count; i++, to += 2) {
    store_le16(to, words[i]);
  }
  return to;
}

static uint8_t *pack_pixels(const uint16_t ram[RAM_WORDS], const struct layout *layout, uint16_t residuals[OWN_PIXELS],
                            int32_t residual_sum, uint8_t head[2], uint8_t *to) {
  const int32_t offset = common_offset(residual_sum);
  uint32_t sum = 0;
  for (uint32_t i = 0; i < OWN_PIXELS; i++) {
    const uint32_t folded = fold((uint16_t)(residuals[i] - (uint32_t)offset));
    residuals[i] = (uint16_t)folded;
    sum += folded;
  }
  const struct rice rice = choose(residuals, OWN_PIXELS, sum);
  if (rice.low_bytes + rice.unary_bytes >= 2U * OWN_PIXELS) {
    head[0] = (uint8_t)(RAW << 4);
    head[1] = 0;
    gather(ram, layout, residuals);
    return store_words(residuals, OWN_PIXELS, to);
  }
  head[0] = (uint8_t)(rice.k << 4);
  head[1] = (uint8_t)offset;
  return write_planes(residuals, OWN_PIXELS, &rice, to);
}

/* `key` is NULL in a key frame. */
static uint8_t *pack_auxiliary(const uint16_t words[AUXILIARY_WORDS], const uint16_t *key, uint8_t head[2],
                               uint8_t *to) {
  uint16_t values[AUXILIARY_WORDS];
  uint8_t changed[AUXILIARY_WORDS / 8U] = {0};
  uint32_t count = 0;
  uint32_t sum = 0;
  uint16_t before = 0;
  for (uint32_t i = 0; i < AUXILIARY_WORDS; i++) {
    const uint16_t residual = (uint16_t)(words[i] - (key != NULL ? key[i] : before));
    before = words[i];
    if (residual != 0) {
      const uint32_t folded = fold(residual) - 1U;
      changed[i / 8U] = (uint8_t)(changed[i / 8U] | 0x80U >> i % 8U);
      values[count++] = (uint16_t)folded;
      sum += folded;
    }
  }
  const struct rice rice = choose(values, count, sum);
  if (sizeof changed + rice.low_bytes + rice.unary_bytes >= 2U * AUXILIARY_WORDS) {
    head[0] |= RAW;
    return store_words(words, AUXILIARY_WORDS, to);
  }
  head[0] = (uint8_t)(head[0] | rice.k);
  memcpy(to, changed, sizeof changed);
  return write_planes(values, count, &rice, to + sizeof changed);
}

void counts_restart(struct counts_encoder *encoder, uint16_t key_interval) {
  if (key_interval != 0) {
    encoder->key_interval = key_interval;
  }
  encoder->keys[0].valid = false;
  encoder->keys[1].valid = false;
}

size_t counts_encode(struct counts_encoder *encoder, const uint16_t ram[RAM_WORDS], uint16_t control, uint8_t number,
                     uint32_t index, uint8_t packed[COUNTS_MAX_BYTES], bool *key, uint32_t *key_index) {
  if (number > 1) {
    return 0;
  }
  uint16_t residuals[OWN_PIXELS];
  struct counts_key *const last = &encoder->keys[number];
  const struct layout layout = own_layout(number, mlx90640_chess(control));
  const bool is_key = !last->valid || last->control != control || last->since >= encoder->key_interval;
  int32_t sum;
  if (is_key) {
    gather(ram, &layout, last->pixels);
    sum = key_residuals(last->pixels, residuals);
    last->valid = true;
    last->control = control;
    last->index = index;
    last->since = 1;
  } else {
    sum = differences(ram, &layout, last->pixels, residuals);
    last->since++;
  }
  uint8_t *end = pack_pixels(ram, &layout, residuals, sum, packed, packed + 2);
  end = pack_auxiliary(ram + PIXELS, is_key ? NULL : last->auxiliary, packed, end);
  if (is_key) {
    memcpy(last->auxiliary, ram + PIXELS, sizeof last->auxiliary);
  }
  *key = is_key;
  *key_index = last->index;
  return (size_t)(end - packed);
}
