/* Whether EEPROM words are those of a sensor: each block against what sensors hold, its neighbours and physics. What is
   refused, doubted and left out is what thermo_core.mlx90640.plausible refuses, doubts and leaves out. */
#ifndef MLX90640_PLAUSIBLE_H
#define MLX90640_PLAUSIBLE_H

#include <stdint.h>

#include "mlx90640_registers.h"
#include "status.h"

#define MLX90640_MAX_BAD_PIXELS 4
#define MLX90640_MAX_DOUBTFUL_PIXELS 8

struct mlx90640_plausibility {
  uint8_t bad_count;
  uint8_t doubtful_count; /* of the bad pixels: their words are out of line with all others */
  /* row * 32 + column of broken, outlier and then doubtful pixels, each kind ascending */
  uint16_t bad[MLX90640_MAX_BAD_PIXELS + MLX90640_MAX_DOUBTFUL_PIXELS];
  uint16_t doubt; /* address of the first word that known sensors do not hold; 0 where there is none */
};

/* Check the 832 words 0x2400-0x273F. Returns OK, BAD_PIXELS (more than 4 broken and outlier pixels, or two that touch)
   or BAD_EEPROM (words no sensor can hold, or too many that known ones do not). */
enum status mlx90640_check(const uint16_t eeprom[MLX90640_EEPROM_WORDS], struct mlx90640_plausibility *found);

#endif
