/* The bits of a float32, with all but the sign turned where it is negative, are a whole number in the order of the
   floats. */
#include "order.h"

#include <stddef.h>
#include <string.h>

#include "float32.h"

#define BIN_BITS 7
#define KEY_INFINITE 0x7F800000
#define KEY_MINUS_INFINITE (-0x7F800001)

/* Bits to a key, and back. */
static int32_t turn(int32_t bits) {
  const uint32_t negative = (uint32_t)bits >> 31;
  return bits ^ (int32_t)((0U - negative) >> 1);
}

static int32_t key_of(float value) {
  return turn(float32_bits(value));
}

/* Adding zero leaves no negative zero. */
static float value_of(int32_t key) {
  return float32_of_bits(turn(key)) + 0.0F;
}

struct order order_of(const float *values, uint32_t count, uint32_t stride) {
  int32_t least = INT32_MAX;
  int32_t greatest = INT32_MIN;
  uint32_t unknown = 0;
  const float *value = values;
  for (uint32_t i = 0; i < count; i++, value += stride) {
    const int32_t key = key_of(*value);
    if (key < KEY_MINUS_INFINITE || key > KEY_INFINITE) {
      unknown++;
      continue;
    }
    least = key < least ? key : least;
    greatest = key > greatest ? key : greatest;
  }
  return (struct order){.values = values,
                        .count = count,
                        .stride = stride,
                        .least = least,
                        .greatest = greatest,
                        .known = count - unknown};
}

/* Keys from `first` to `first + width`, counted into bins of 2^shift. */
static void count_keys(const struct order *order, int32_t first, uint32_t width, uint32_t shift,
                       uint32_t counts[ORDER_BINS]) {
  memset(counts, 0, ORDER_BINS * sizeof counts[0]);
  const float *value = order->values;
  const uint32_t stride = order->stride;
  for (uint32_t left = order->count; left > 0; left--, value += stride) {
    const uint32_t place = (uint32_t)key_of(*value) - (uint32_t)first;
    if (place <= width) {
      counts[place >> shift]++;
    }
  }
}

/* Keys from `first` to `last` into `kept`, in ascending order. Gives how many, and the least key above them, which is
   the greatest of all where there is none between. */
static uint32_t keep(const struct order *order, int32_t first, int32_t last, int32_t kept[ORDER_KEPT], int32_t *above) {
  uint32_t count = 0;
  int32_t next = order->greatest;
  const float *value = order->values;
  const uint32_t stride = order->stride;
  for (uint32_t left = order->count; left > 0; left--, value += stride) {
    const int32_t key = key_of(*value);
    if (key > last) {
      next = key < next ? key : next;
    } else if (key >= first) {
      uint32_t at = count++;
      for (; at > 0 && kept[at - 1U] > key; at--) {
        kept[at] = kept[at - 1U];
      }
      kept[at] = key;
    }
  }
  *above = next;
  return count;
}

float order_find(const struct order *order, uint32_t rank, struct order_scratch *scratch, float *next) {
  int32_t first = order->least;
  int32_t last = order->greatest;
  uint32_t inside = order->known;
  while (inside > ORDER_KEPT && first != last) {
    const uint32_t width = (uint32_t)last - (uint32_t)first;
    const uint32_t bits = 32U - (uint32_t)__builtin_clz(width);
    const uint32_t shift = bits > BIN_BITS ? bits - BIN_BITS : 0;
    count_keys(order, first, width, shift, scratch->counts);
    uint32_t bin = 0;
    for (; rank >= scratch->counts[bin]; bin++) {
      rank -= scratch->counts[bin];
    }
    inside = scratch->counts[bin];
    first = (int32_t)((uint32_t)first + (bin << shift));
    const uint32_t rest = (uint32_t)last - (uint32_t)first;
    const uint32_t bin_width = (1U << shift) - 1U;
    last = (int32_t)((uint32_t)first + (bin_width < rest ? bin_width : rest));
  }
  if (inside <= ORDER_KEPT) {
    int32_t above;
    const uint32_t count = keep(order, first, last, scratch->kept, &above);
    *next = value_of(rank + 1U < count ? scratch->kept[rank + 1U] : above);
    return value_of(scratch->kept[rank]);
  }
  /* More equal numbers than there is room for. */
  int32_t above = first;
  if (rank + 1U >= inside && first != order->greatest) {
    keep(order, INT32_MAX, first, scratch->kept, &above);
  }
  *next = value_of(above);
  return value_of(first);
}

float order_median(const struct order *order, struct order_scratch *scratch) {
  if (order->known == 0) {
    return float32_nothing();
  }
  float upper;
  const float lower = order_find(order, (order->known - 1U) / 2U, scratch, &upper);
  return (lower + (order->known % 2U == 0 ? upper : lower)) * 0.5F;
}
