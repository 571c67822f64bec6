/* The driver of numbers from outside: what a host feeds is a block like any other. */
#ifndef EXTERNAL_H
#define EXTERNAL_H

#include "sensor.h"

struct external_settings {
  uint16_t elements;
  float low, high; /* what the numbers may be */
  float rate_hz;   /* 0: they come when something happens */
};

struct external_state {
  const struct sensor_context *context;
  float *values; /* room for the settings' elements */
  uint64_t time_us;
  uint32_t next_index;
  bool waiting; /* for the next poll */
};

extern const struct sensor_driver external_driver;

#endif
