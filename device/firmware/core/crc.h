/* The two checksums of the serial line; CRC-32 also guards calibrations. */
#ifndef CRC_H
#define CRC_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 of zlib and Ethernet. Start with 0 and pass the last result to go on. */
uint32_t crc32_update(uint32_t crc, const void *data, size_t size);

/* CRC-16/XMODEM. Start with 0 and pass the last result to go on. */
uint16_t crc16_xmodem(uint16_t crc, const void *data, size_t size);

#endif
