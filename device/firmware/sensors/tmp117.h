/* The driver of TMP117 contact thermometers. */
#ifndef TMP117_H
#define TMP117_H

#include "attended_linear.h"
#include "page_schedule.h"

struct tmp117_settings {
  uint8_t address;
  uint16_t configuration; /* word that sets rate and averages */
  float rate_hz;
  uint32_t stale_readings; /* so many equal ones in a row are a fault */
};

struct tmp117_state {
  struct attended_linear linear;
  struct page_schedule schedule;
  uint16_t found; /* configuration that announced the newest result */
  uint16_t result;
};

extern const struct sensor_driver tmp117_driver;

#endif
