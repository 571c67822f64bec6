/* The identity of a chip that has none of its own: it is told by the device and its place in it. */
#ifndef OWN_IDENTITY_H
#define OWN_IDENTITY_H

#include <stdint.h>

#define OWN_IDENTITY_BYTES 8U

/* FNV-1a of 64 bits over a board's serial number and a sensor's number, big-endian, as
   thermo_core.sensors.own_identity. */
void own_identity(const char *serial, uint8_t number, uint8_t id[OWN_IDENTITY_BYTES]);

#endif
