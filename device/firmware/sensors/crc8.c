/* Bit by bit: what is checked is a few bytes long. */
#include "crc8.h"

uint8_t crc8(uint8_t polynomial, uint8_t initial, const uint8_t *data, size_t size) {
  uint32_t crc = initial;
  for (size_t i = 0; i < size; i++) {
    crc ^= data[i];
    for (uint32_t bit = 0; bit < 8; bit++) {
      crc = crc & 0x80U ? crc << 1 ^ polynomial : crc << 1;
    }
    crc &= 0xFFU;
  }
  return (uint8_t)crc;
}
