/* When the samples of a FIFO were taken: tracks a chip's own clock, which is off by some percent, by the reads of its
   FIFO. As thermo_device.sensors.sample_clock. */
#ifndef SAMPLE_CLOCK_H
#define SAMPLE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct sample_clock {
  float nominal_us; /* from one sample to the next */
  float period_us;  /* as measured */
  bool has_end;
  uint64_t end_us; /* of the newest sample */
  uint64_t anchor_us;
  uint32_t since; /* samples since then */
};

void sample_clock_init(struct sample_clock *clock, float nominal_us);

/* Forget the phase; the period is known still where it was. */
void sample_clock_restart(struct sample_clock *clock);

/* A read found `count` samples since the last one, lost ones among them; when the newest was taken. */
uint64_t sample_clock_read(struct sample_clock *clock, uint64_t now_us, uint32_t count);

/* So many samples of the measured period. */
uint64_t sample_clock_span_us(const struct sample_clock *clock, uint32_t count);

#endif
