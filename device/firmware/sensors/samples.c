/* Prediction, the choice of its kind and of the Rice parameter, and both planes. */
#include "samples.h"

#include <stdbool.h>

#include "bit_writer.h"

#define SOME_LOST 0x40U
#define HAS_STATUS 0x80U
#define LONGEST_HEAD 6U
#define MAX_LOST 255U
#define RAW 31U
#define PREDICTORS 3U
#define SPREAD 2U /* bits by which a difference may be longer than a value */

static uint32_t bit_length(uint32_t value) {
  uint32_t bits = 0;
  for (; value != 0; value >>= 1) {
    bits++;
  }
  return bits;
}

/* Bytes of a value that is not coded. */
static uint32_t width_of(const struct sample_format *format) {
  const uint32_t below = format->low < 0 ? (uint32_t)(-(format->low + 1)) : 0U;
  const uint32_t above = format->high > 0 ? (uint32_t)format->high : 0U;
  return (bit_length(above > below ? above : below) + (format->low < 0 ? 1U : 0U) + 7U) / 8U;
}

size_t samples_longest(const struct sample_format *format, size_t samples) {
  return LONGEST_HEAD + format->channels * (1U + width_of(format) * samples);
}

static uint8_t *put_bytes(uint8_t *to, uint32_t value, uint32_t bytes) {
  for (; bytes > 0; bytes--, value >>= 8) {
    *to++ = (uint8_t)value;
  }
  return to;
}

/* 0, -1, 1, -2 to 0, 1, 2, 3. */
static uint32_t fold(int32_t residual) {
  return (uint32_t)residual << 1 ^ (residual < 0 ? UINT32_MAX : 0U);
}

/* Folded differences of all values of a channel but the first to what a predictor makes of those before. */
static void predict(const int32_t *values, uint32_t stride, uint32_t count, uint32_t predictor, uint32_t *folded) {
  int32_t before = values[0];
  int32_t step = 0;
  for (uint32_t i = 0; i < count; i++) {
    const int32_t value = values[(i + 1U) * stride];
    if (predictor == 0) {
      folded[i] = fold(value - values[0]);
    } else {
      folded[i] = fold(value - before - step);
      step = predictor == 2U ? value - before : 0;
      before = value;
    }
  }
}

struct choice {
  uint32_t k;
  uint32_t unary; /* zeros of all unary parts */
  uint32_t bits;  /* of both planes, short of one bit a value */
};

/* The cheapest parameter, the smallest of equals: the length is convex in it. */
static struct choice choose(const uint32_t *folded, uint32_t count, uint32_t largest) {
  struct choice best = {0, 0, 0};
  for (uint32_t k = 0; k <= largest; k++) {
    uint32_t unary = 0;
    for (uint32_t i = 0; i < count; i++) {
      unary += folded[i] >> k;
    }
    const uint32_t bits = unary + k * count;
    if (k > 0 && bits >= best.bits) {
      break;
    }
    best = (struct choice){k, unary, bits};
  }
  return best;
}

static uint8_t *put_planes(const uint32_t *folded, uint32_t count, uint32_t k, uint32_t low_bytes, uint8_t *to) {
  struct bit_writer low = {.to = to, .bits = 0, .room = 32};
  struct bit_writer unary = {.to = to + low_bytes, .bits = 0, .room = 32};
  for (uint32_t i = 0; i < count; i++) {
    if (k > 0) {
      bit_writer_put(&low, folded[i] & ((1U << k) - 1U), k);
    }
    bit_writer_put_unary(&unary, folded[i] >> k);
  }
  bit_writer_finish(&low);
  return bit_writer_finish(&unary);
}

static uint8_t *put_channel(const struct sample_format *format, const int32_t *values, uint32_t count, uint8_t *to) {
  uint32_t folded[SAMPLES_MOST];
  const uint32_t width = width_of(format);
  const uint32_t stride = format->channels;
  const uint32_t largest = bit_length((uint32_t)(format->high - format->low)) + SPREAD;
  struct choice best = {0, 0, 0};
  uint32_t predictor = 0;
  for (uint32_t i = 0; i < PREDICTORS; i++) {
    predict(values, stride, count, i, folded);
    const struct choice choice = choose(folded, count, largest);
    if (i == 0 || choice.bits < best.bits) {
      best = choice;
      predictor = i;
    }
  }
  const uint32_t low_bytes = (count * best.k + 7U) / 8U;
  const uint32_t unary_bytes = (best.unary + count + 7U) / 8U;
  if (low_bytes + unary_bytes >= width * count) {
    *to++ = RAW;
    for (uint32_t i = 0; i <= count; i++) {
      to = put_bytes(to, (uint32_t)values[i * stride], width);
    }
    return to;
  }
  predict(values, stride, count, predictor, folded);
  *to++ = (uint8_t)(predictor << 6 | best.k);
  to = put_bytes(to, (uint32_t)values[0], width);
  return put_planes(folded, count, best.k, low_bytes, to);
}

static bool in_range(const struct sample_format *format, const int32_t *values, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (values[i] < format->low || values[i] > format->high) {
      return false;
    }
  }
  return true;
}

size_t samples_encode(const struct sample_format *format, const struct sample_timing *timing, const int32_t *values,
                      size_t samples, uint8_t *to) {
  if (samples == 0 || samples > SAMPLES_MOST || timing->period_us == 0 || timing->period_us > SAMPLES_LONGEST_PERIOD ||
      !in_range(format, values, samples * format->channels)) {
    return 0;
  }
  uint8_t *at = to + 1;
  *to = (uint8_t)(samples - 1U);
  at = put_bytes(at, timing->period_us, 3);
  if (timing->lost > 0) {
    *to |= SOME_LOST;
    *at++ = timing->lost < MAX_LOST ? (uint8_t)timing->lost : (uint8_t)MAX_LOST;
  }
  if (timing->status != 0) {
    *to |= HAS_STATUS;
    *at++ = timing->status;
  }
  for (uint32_t channel = 0; channel < format->channels; channel++) {
    at = put_channel(format, values + channel, (uint32_t)samples - 1U, at);
  }
  return (size_t)(at - to);
}
