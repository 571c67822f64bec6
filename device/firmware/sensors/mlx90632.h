/* The driver of MLX90632 thermopiles. */
#ifndef MLX90632_H
#define MLX90632_H

#include "attended_linear.h"
#include "attended_paged.h"
#include "mlx90632_decode.h"

struct mlx90632_settings {
  uint8_t address;
  uint8_t rate_code; /* 0.5 Hz times two to the power of it */
  float rate_hz;
  struct mlx90632_optics optics;
};

struct mlx90632_state {
  struct attended_linear linear;
  struct page_schedule schedule;
  struct mlx90632_constants constants;
  uint16_t eeprom[MLX90632_CONSTANT_WORDS];
  uint16_t status; /* that announced the newest reading */
  int16_t words[MLX90632_MEDICAL_WORDS];
};

extern const struct sensor_driver mlx90632_driver;

#endif
