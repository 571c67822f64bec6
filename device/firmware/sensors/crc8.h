/* CRC-8, most significant bit first, as chips send it. */
#ifndef CRC8_H
#define CRC8_H

#include <stddef.h>
#include <stdint.h>

#define CRC8_PEC 0x07U       /* polynomial of SMBus packet error codes, which start with 0 */
#define CRC8_SENSIRION 0x31U /* of Sensirion's words, which start with 0xFF */

/* The check byte of `data`. */
uint8_t crc8(uint8_t polynomial, uint8_t initial, const uint8_t *data, size_t size);

#endif
