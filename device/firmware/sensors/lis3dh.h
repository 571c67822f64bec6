/* The driver of LIS3DH accelerometers. */
#ifndef LIS3DH_H
#define LIS3DH_H

#include "attended_fifo.h"
#include "lis3dh_decode.h"

struct lis3dh_settings {
  uint8_t address;
  uint8_t burst; /* samples that are read at once */
  float rate_hz;
  struct lis3dh_scale scale;
  const uint8_t *messages; /* that set it up, each after its size, up to a size of 0 */
};

struct lis3dh_state {
  struct attended_fifo fifo;
  struct lis3dh_correction correction;
  bool has_correction;
};

extern const struct sensor_driver lis3dh_driver;

#endif
