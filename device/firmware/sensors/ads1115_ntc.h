/* The driver of NTC thermistors behind an ADS1115: scans to blocks of counts, and to temperatures. */
#ifndef ADS1115_NTC_H
#define ADS1115_NTC_H

#include "repeats.h"
#include "sensor.h"
#include "thermistor_array.h"

#define ADS1115_NTC_NOT_READ INT16_MIN

struct ads1115_ntc_state {
  const struct sensor_context *context;
  struct thermistor_array array;
  uint32_t next_index;
  struct repeats repeats;
  bool frozen;
  bool found; /* it has answered */
  bool calibrated[THERMISTOR_MAX_CHANNELS];
};

extern const struct sensor_driver ads1115_ntc_driver;

#endif
