/* The driver of LIS3DH accelerometers. */
#ifndef LIS3DH_H
#define LIS3DH_H

#include "attended.h"
#include "fifo_burst.h"
#include "lis3dh_decode.h"
#include "sample_clock.h"

struct lis3dh_settings {
  uint8_t address;
  uint8_t burst; /* samples that are read at once */
  float rate_hz;
  struct lis3dh_scale scale;
  const uint8_t *messages; /* that set it up, each after its size, up to a size of 0 */
};

struct lis3dh_state {
  struct attended attended;
  struct sample_clock clock;
  struct fifo_burst burst;
  struct repeats repeats;
  struct lis3dh_correction correction;
  bool has_correction;
  uint64_t heard_us; /* when it last had enough samples */
};

extern const struct sensor_driver lis3dh_driver;

#endif
