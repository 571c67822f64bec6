/* A MAX30101's or MAX30102's bytes to counts, and counts to photocurrents: the same as thermo_core.sensors.max3010x. */
#ifndef MAX3010X_DECODE_H
#define MAX3010X_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

#define MAX3010X_LEDS 3
#define MAX3010X_BYTES 3          /* of a value in the FIFO */
#define MAX3010X_STALE_SAMPLES 64 /* so many equal ones in a row are a fault, see repeats.h */

struct max3010x_scale {
  uint32_t leds;
  uint32_t range_na;  /* full scale, 2048 to 16384 */
  int32_t full_count; /* at the end of the range */
  float contact_na;   /* below this under every LED there is no skin */
};

/* Counts of what was read from the FIFO, `samples` times `leds` values. Returns OK or DAMAGED (a value of more than 18
   bits). */
enum status max3010x_counts(const uint8_t *data, size_t samples, uint32_t leds, int32_t *counts);

/* Photocurrents, nA, of one sample; `interrupts` is the chip's first interrupt register. Returns enum quality, without
   QUALITY_STALE. */
uint16_t max3010x_decode(const struct max3010x_scale *scale, const int32_t *counts, uint8_t interrupts,
                         float photocurrents[MAX3010X_LEDS]);

#endif
