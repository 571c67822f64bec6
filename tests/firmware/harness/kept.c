/* A ring of kept findings of any size, for ctypes. */
#include "kept.h"

#include <string.h>

static uint8_t data[8192];
static struct kept_state state;
static struct kept_ring ring = {.state = &state, .data = data};
static struct kept kept;

void ring_open(uint32_t capacity, uint8_t models, uint32_t bundle, uint64_t now_us) {
  ring.capacity = capacity;
  ring.models = models;
  kept_open(&kept, &ring, bundle, 0, now_us);
}

void ring_begin(void) {
  kept.wanted = true;
}

void ring_add(uint8_t model, uint16_t flags, int64_t time_us, const float *values, uint8_t count, bool quantities) {
  float copied[64];
  memcpy(copied, values, count * sizeof copied[0]);
  const struct finding finding = {.time_us = time_us, .values = copied, .flags = flags, .model = model, .count = count};
  kept_add(&kept, &finding, quantities);
}

void ring_forget(void) {
  kept_forget(&kept);
}

size_t ring_read(uint32_t *first, uint32_t *end, uint8_t *to, size_t room) {
  *end = kept_end(&kept);
  return kept_read(&kept, first, to, room);
}

/* What a reset may leave of memory: a bit of it flipped. */
void ring_flip(uint32_t at, uint8_t bit) {
  if (at < sizeof state) {
    ((uint8_t *)&state)[at] ^= (uint8_t)(1U << bit);
  } else {
    data[(state.start + at - sizeof state) % ring.capacity] ^= (uint8_t)(1U << bit);
  }
}

uint32_t ring_bytes_that_count(void) {
  return (uint32_t)sizeof state + state.used;
}
