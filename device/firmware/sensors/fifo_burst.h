/* What a FIFO gave at once: samples that are one block, and moments of their own. */
#ifndef FIFO_BURST_H
#define FIFO_BURST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "repeats.h"
#include "samples.h"

#define FIFO_DEPTH 32    /* of the chips there are */
#define FIFO_CHANNELS 3U /* most values of a sample */

struct fifo_burst {
  int32_t counts[FIFO_DEPTH * FIFO_CHANNELS];
  uint32_t samples;
  struct sample_timing timing;
};

/* CRC-32 of all it says, with `channels` values a sample; of one sample where all are equal and none is at an end of
   the range from `low` to `high`, as those of a chip that hangs: their timing goes on. */
uint32_t fifo_burst_digest(const struct fifo_burst *burst, uint32_t channels, int32_t low, int32_t high);

/* Time of the first sample of a burst that ended then; false where it would lie before the device's start. */
bool fifo_burst_begin_us(const struct fifo_burst *burst, uint64_t end_us, uint64_t *begin_us);

#endif
