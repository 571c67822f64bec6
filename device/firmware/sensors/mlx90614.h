/* The driver of MLX90614 thermometers. */
#ifndef MLX90614_H
#define MLX90614_H

#include "attended_linear.h"
#include "mlx90614_decode.h"

struct mlx90614_settings {
  uint8_t address;
  uint8_t zones;
  bool check_pec;
  float rate_hz;
  struct mlx90614_optics optics;
  uint32_t stale_readings; /* so many equal ones in a row are a fault */
};

struct mlx90614_state {
  struct attended_linear linear;
  struct mlx90614_constants constants;
  uint64_t due_us;
  uint16_t eeprom[MLX90614_EEPROM_WORDS];
  uint16_t words[1 + MLX90614_ZONES];
};

extern const struct sensor_driver mlx90614_driver;

#endif
