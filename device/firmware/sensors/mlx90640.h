/* The driver of MLX90640 cameras: pages of the sensor to blocks, and pairs of them to pictures. */
#ifndef MLX90640_H
#define MLX90640_H

#include "counts.h"
#include "mlx90640_acquisition.h"
#include "mlx90640_correction.h"
#include "repeats.h"
#include "sensor.h"

struct mlx90640_state {
  const struct sensor_context *context;
  struct mlx90640_acquisition camera;
  struct counts_encoder encoder;
  struct mlx90640_correction correction;
  uint64_t newest_us; /* end of the newest capture; 0 where there is none */

  struct repeats repeats;
  bool waiting; /* a subpage is half of a picture, decoded in the graph's memory */
  uint8_t waiting_number;
  bool waiting_chess;
  uint32_t waiting_index;
  uint32_t waiting_constants;
  uint32_t valid[ROWS]; /* pixels measured so far */
};

extern const struct sensor_driver mlx90640_driver;

#endif
