#include "repeats.h"

#include <string.h>

bool repeats_push(struct repeats *repeats, const void *reading, size_t size) {
  const bool equal = repeats->count > 0 && memcmp(repeats->last, reading, size) == 0;
  repeats->count = !equal ? 1U : repeats->count < UINT32_MAX ? repeats->count + 1U : repeats->count;
  memcpy(repeats->last, reading, size);
  return repeats->limit > 0 && repeats->count >= repeats->limit;
}
