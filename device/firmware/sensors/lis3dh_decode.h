/* A LIS3DH's bytes to counts, and counts to acceleration: the same bits as thermo_core.sensors.lis3dh. */
#ifndef LIS3DH_DECODE_H
#define LIS3DH_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "flash.h"
#include "status.h"

#define LIS3DH_BYTES 6           /* of a sample in the FIFO */
#define LIS3DH_STALE_SAMPLES 256 /* so many equal ones in a row are a fault where a count is 2 mg or less */

struct lis3dh_scale {
  uint32_t shift;     /* bits of a word below the lowest of its count: 4, 6 or 8 by mode */
  int32_t mg_a_count; /* sensitivity */
};

/* y = matrix (x - offset), g. */
struct lis3dh_correction {
  float offset[3];
  float matrix[9]; /* row by row */
};

/* Read the body of a correction. Returns OK or DAMAGED (another length, or beyond what a sound chip needs). */
enum status lis3dh_correction_read(const struct flash_span *body, struct lis3dh_correction *correction);

/* Counts of what was read from the FIFO, three a sample. Returns OK or DAMAGED (bits are set that the mode leaves 0).
 */
enum status lis3dh_counts(const uint8_t *data, size_t samples, uint32_t shift, int32_t *counts);

/* Acceleration, g, of one sample; `correction` may be NULL. Returns enum quality, without QUALITY_STALE. */
uint16_t lis3dh_decode(const struct lis3dh_scale *scale, const struct lis3dh_correction *correction,
                       const int32_t counts[3], float g[3]);

#endif
