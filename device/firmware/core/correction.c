/* As thermo_core.sensors.correction reads them. */
#include "correction.h"

#include <math.h>
#include <string.h>

#include "bytes.h"
#include "crc.h"

#define VERSION 2
#define LAST_KIND 7 /* kinds are numbered from 1 */
#define CRC_BYTES 4U
/* End of the year 9999. */
#define LATEST_UNIX_S 253402300799ULL

float correction_double(const uint8_t *from) {
  const uint64_t bits = load_le64(from);
  const uint32_t sign = (uint32_t)(bits >> 32) & 0x80000000U;
  const int32_t exponent = (int32_t)(bits >> 52 & 0x7FFU) - 1023;
  uint32_t single;
  if (exponent > 127) {
    single = 0x7F800000U;
  } else if (exponent < -126) {
    single = 0;
  } else {
    const uint32_t kept = (uint32_t)(bits >> 29) & 0x007FFFFFU;
    const uint32_t rest = (uint32_t)bits & 0x1FFFFFFFU;
    single = (uint32_t)(exponent + 127) << 23 | kept;
    /* half-even; a carry into the exponent is right */
    single += rest > 0x10000000U || (rest == 0x10000000U && (kept & 1U)) ? 1U : 0U;
  }
  single |= sign;
  float value;
  memcpy(&value, &single, sizeof value);
  return value;
}

static bool all_zero(const uint8_t *data, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (data[i] != 0) {
      return false;
    }
  }
  return true;
}

static bool is_whole(const struct flash_span *blob, uint8_t header[CORRECTION_HEADER_BYTES]) {
  uint8_t crc[CRC_BYTES];
  if (blob->size < CORRECTION_FRAME_BYTES) {
    return false;
  }
  flash_span_read(blob, 0, header, CORRECTION_HEADER_BYTES);
  flash_span_read(blob, blob->size - CRC_BYTES, crc, sizeof crc);
  return memcmp(header, "TCOR", 4) == 0 && flash_span_crc(blob, blob->size - CRC_BYTES) == load_le32(crc);
}

enum status correction_open(const struct flash_span *blob, struct correction *correction) {
  uint8_t header[CORRECTION_HEADER_BYTES];
  memset(correction, 0, sizeof *correction);
  if (!is_whole(blob, header)) {
    return STATUS_DAMAGED;
  }
  const uint8_t id_size = header[6];
  const float residual = correction_float(header + 24);
  if (header[4] != VERSION || header[5] < 1 || header[5] > LAST_KIND || id_size > CORRECTION_MAX_ID_BYTES ||
      header[7] != 0 || !all_zero(header + 8 + id_size, CORRECTION_MAX_ID_BYTES - id_size) ||
      load_le64(header + 16) > LATEST_UNIX_S || !(residual >= 0.0F) || !isfinite(residual)) {
    return STATUS_DAMAGED;
  }
  *correction =
      (struct correction){.body = flash_span_from(blob, CORRECTION_HEADER_BYTES, blob->size - CORRECTION_FRAME_BYTES),
                          .residual = residual,
                          .fingerprint = load_le32(header + 28),
                          .kind = header[5],
                          .id_size = id_size};
  memcpy(correction->id, header + 8, sizeof correction->id);
  return STATUS_OK;
}

bool correction_fits(const struct correction *correction, const uint8_t *id, size_t id_size, uint32_t fingerprint) {
  return correction->id_size == id_size && memcmp(correction->id, id, id_size) == 0 &&
         (correction->fingerprint == 0 || correction->fingerprint == fingerprint);
}
