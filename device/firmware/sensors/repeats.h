/* A value that never changes: a chip that hangs goes on answering with what it said last. */
#ifndef REPEATS_H
#define REPEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPEATS_BYTES 12

struct repeats {
  uint32_t limit; /* so many equal readings in a row are a fault; 0 watches for nothing */
  uint32_t count;
  uint8_t last[REPEATS_BYTES];
};

/* Begin to watch for so many. */
static inline void repeats_begin(struct repeats *repeats, uint32_t limit) {
  repeats->limit = limit;
  repeats->count = 0;
}

/* Take a reading of up to REPEATS_BYTES bytes, always as many; whether it is one of too many that are equal. */
bool repeats_push(struct repeats *repeats, const void *reading, size_t size);

#endif
