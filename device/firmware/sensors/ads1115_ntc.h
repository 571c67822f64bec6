/* The driver of NTC thermistors behind an ADS1115: scans to blocks of counts, and to temperatures. */
#ifndef ADS1115_NTC_H
#define ADS1115_NTC_H

#include "sensor.h"
#include "thermistor_array.h"

#define ADS1115_NTC_NOT_READ INT16_MIN
#define ADS1115_NTC_FROZEN (INT16_MIN + 1)

struct ads1115_ntc_state {
  const struct sensor_context *context;
  struct thermistor_array array;
  uint32_t next_index;
  bool found; /* it has answered */
  bool calibrated[THERMISTOR_MAX_CHANNELS];
};

extern const struct sensor_driver ads1115_ntc_driver;

#endif
