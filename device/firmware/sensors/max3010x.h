/* The driver of MAX30101 and MAX30102 pulse sensors. */
#ifndef MAX3010X_H
#define MAX3010X_H

#include "attended_fifo.h"
#include "max3010x_decode.h"

struct max3010x_settings {
  uint8_t address;
  uint8_t burst; /* samples that are read at once */
  float rate_hz;
  struct max3010x_scale scale;
  const uint8_t *reset;    /* messages, each after its size, up to a size of 0 */
  const uint8_t *messages; /* that set it up after that */
};

struct max3010x_state {
  struct attended_fifo fifo;
  uint32_t lost; /* samples that went after those read last */
};

extern const struct sensor_driver max3010x_driver;

#endif
