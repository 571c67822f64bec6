/* A value that never changes: a chip that hangs goes on answering with what it said last. */
#ifndef REPEATS_H
#define REPEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define REPEATS_BYTES 12

struct repeats {
  uint32_t limit; /* so many equal readings in a row are a fault; 0 watches for nothing */
  uint32_t count;
  uint8_t last[REPEATS_BYTES];
};

/* Take a reading of up to REPEATS_BYTES bytes, always as many; whether it is one of too many that are equal. */
static inline bool repeats_push(struct repeats *repeats, const void *reading, size_t size) {
  const bool equal = repeats->count > 0 && memcmp(repeats->last, reading, size) == 0;
  repeats->count = !equal ? 1U : repeats->count < UINT32_MAX ? repeats->count + 1U : repeats->count;
  memcpy(repeats->last, reading, size);
  return repeats->limit > 0 && repeats->count >= repeats->limit;
}

#endif
