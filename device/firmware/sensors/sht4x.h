/* The driver of SHT4x air sensors. */
#ifndef SHT4X_H
#define SHT4X_H

#include "attended_linear.h"

struct sht4x_settings {
  uint8_t address;
  uint8_t command; /* that starts a measurement */
  uint32_t conversion_us;
  float rate_hz;
};

struct sht4x_state {
  struct attended_linear linear;
  uint64_t due_us;
  uint16_t words[2];
  bool asked;
};

extern const struct sensor_driver sht4x_driver;

#endif
