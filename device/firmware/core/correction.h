/* Corrections: what a calibration found out about a sensor, as it lies in flash, whatever the kind of the sensor.

   The blob, little-endian: "TCOR", u8 version 2, u8 kind, u8 length of the identity, u8 0, the identity in 8 bytes, u64
   created (Unix s), f32 residual, u32 CRC-32 of the constants it was made with (0: none, or not known), the body as the
   kind has it, u32 CRC-32 of everything before it. */
#ifndef CORRECTION_H
#define CORRECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bytes.h"
#include "flash.h"
#include "status.h"

#define CORRECTION_HEADER_BYTES 32U
#define CORRECTION_FRAME_BYTES (CORRECTION_HEADER_BYTES + 4U) /* header and CRC */
#define CORRECTION_MAX_ID_BYTES 8U

/* A blob that was opened; it has to stay in flash. */
struct correction {
  struct flash_span body;
  float residual; /* RMS error at points that were not fitted, in the unit of the sensor */
  uint32_t fingerprint;
  uint8_t kind;
  uint8_t id_size;
  uint8_t id[CORRECTION_MAX_ID_BYTES];
};

/* Check and open a blob: OK, or DAMAGED where it is cut short, altered, of another version, or has an impossible
   header. The body is its kind's to check. */
enum status correction_open(const struct flash_span *blob, struct correction *correction);

/* Whether it was made with this chip and, as far as it says, with these constants. */
bool correction_fits(const struct correction *correction, const uint8_t *id, size_t id_size, uint32_t fingerprint);

/* Numbers of a body. */
BYTES_INLINE float correction_float(const uint8_t *from) {
  const uint32_t bits = load_le32(from);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
/* A float64 as the nearest float32, infinite beyond its range; less than its smallest normal number is 0. */
float correction_double(const uint8_t *from);

#endif
