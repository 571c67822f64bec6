/* Lossless packing of what a FIFO held, as thermo_core.sensors.samples describes it: byte for byte the same. */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#define SAMPLES_MOST 64                  /* most in a block */
#define SAMPLES_LONGEST_PERIOD 0xFFFFFFU /* longest time from one to the next, microseconds */

/* What the values of a kind are. */
struct sample_format {
  uint8_t channels;
  int32_t low, high; /* least and greatest value */
};

/* What else a block says. */
struct sample_timing {
  uint32_t period_us; /* from one sample to the next */
  uint32_t lost;      /* samples that the chip lost before these */
  uint8_t status;     /* of the chip, as its kind has it */
};

/* Bytes of the longest block of so many samples. */
size_t samples_longest(const struct sample_format *format, size_t samples);

/* Pack samples, `values` in the order in which the chip says them, and return the length; 0 where there are none or too
   many, the period cannot be, or a value is out of range. `to` has room for the longest block. */
size_t samples_encode(const struct sample_format *format, const struct sample_timing *timing, const int32_t *values,
                      size_t samples, uint8_t *to);

#endif
