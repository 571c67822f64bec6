/* Bytes between an interrupt and the main loop: one of them puts, the other one takes, and neither has to lock. */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "processor.h"

/* `in` and `out` count on and on, and are taken modulo the size, a power of two: not every processor divides. */
struct ring {
  uint8_t *const bytes;
  const uint32_t size;
  volatile uint32_t in, out;
};

static inline uint32_t ring_count(const struct ring *ring) {
  return ring->in - ring->out;
}

static inline uint32_t ring_room(const struct ring *ring) {
  return ring->size - ring_count(ring);
}

/* Where there is room. */
static inline void ring_put(struct ring *ring, uint8_t byte) {
  ring->bytes[ring->in & (ring->size - 1U)] = byte;
  __asm__ volatile("" ::: "memory");
  ring->in = ring->in + 1U;
}

/* Where there is something. */
static inline uint8_t ring_take(struct ring *ring) {
  const uint8_t byte = ring->bytes[ring->out & (ring->size - 1U)];
  __asm__ volatile("" ::: "memory");
  ring->out = ring->out + 1U;
  return byte;
}

static inline size_t ring_take_all(struct ring *ring, uint8_t *data, size_t size) {
  size_t count = 0;
  while (count < size && ring_count(ring) > 0U) {
    data[count++] = ring_take(ring);
  }
  return count;
}

/* All of it or nothing. */
static inline bool ring_put_all(struct ring *ring, const uint8_t *data, size_t size) {
  if (size > ring_room(ring)) {
    return false;
  }
  for (size_t i = 0; i < size; i++) {
    ring_put(ring, data[i]);
  }
  return true;
}

/* All of it or nothing, of which `send` gives as much as it takes to what sends, with interrupts off. */
static inline bool ring_send(struct ring *ring, const uint8_t *data, size_t size, void (*send)(void)) {
  if (!ring_put_all(ring, data, size)) {
    return false;
  }
  interrupts_off();
  send();
  interrupts_on();
  return true;
}

/* All but the first bytes, which are on their way. */
static inline void ring_forget(struct ring *ring, uint32_t under_way) {
  interrupts_off();
  ring->in = ring->out + under_way;
  interrupts_on();
}

#endif
