/* Numbers in bytes: little-endian as telemetry, EEPROM and calibration have them, big-endian as SMP and I2C have them.
 */
#ifndef BYTES_H
#define BYTES_H

#include <stdint.h>

/* Compilers make one load or store of each, which is shorter than a call; left alone, they call where size counts. */
#define BYTES_INLINE static inline __attribute__((always_inline))

BYTES_INLINE uint16_t load_le16(const uint8_t *from) {
  return (uint16_t)(from[0] | from[1] << 8);
}

BYTES_INLINE uint32_t load_le32(const uint8_t *from) {
  return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static inline uint64_t load_le64(const uint8_t *from) {
  return load_le32(from) | (uint64_t)load_le32(from + 4) << 32;
}

BYTES_INLINE uint16_t load_be16(const uint8_t *from) {
  return (uint16_t)(from[0] << 8 | from[1]);
}

BYTES_INLINE uint32_t load_be32(const uint8_t *from) {
  return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static inline uint64_t load_be64(const uint8_t *from) {
  return (uint64_t)load_be32(from) << 32 | load_be32(from + 4);
}

BYTES_INLINE void store_le16(uint8_t *to, uint16_t value) {
  to[0] = (uint8_t)value;
  to[1] = (uint8_t)(value >> 8);
}

BYTES_INLINE void store_le32(uint8_t *to, uint32_t value) {
  to[0] = (uint8_t)value;
  to[1] = (uint8_t)(value >> 8);
  to[2] = (uint8_t)(value >> 16);
  to[3] = (uint8_t)(value >> 24);
}

static inline void store_le64(uint8_t *to, uint64_t value) {
  store_le32(to, (uint32_t)value);
  store_le32(to + 4, (uint32_t)(value >> 32));
}

BYTES_INLINE void store_be16(uint8_t *to, uint16_t value) {
  to[0] = (uint8_t)(value >> 8);
  to[1] = (uint8_t)value;
}

BYTES_INLINE void store_be32(uint8_t *to, uint32_t value) {
  to[0] = (uint8_t)(value >> 24);
  to[1] = (uint8_t)(value >> 16);
  to[2] = (uint8_t)(value >> 8);
  to[3] = (uint8_t)value;
}

static inline void store_be64(uint8_t *to, uint64_t value) {
  store_be32(to, (uint32_t)(value >> 32));
  store_be32(to + 4, (uint32_t)value);
}

#endif
