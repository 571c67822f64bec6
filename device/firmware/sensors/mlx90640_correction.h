/* Correction of an MLX90640: T = a + b x + c (Ta - 25) for each pixel, used from where its bytes lie in flash. The body
   is described at the top of core/thermo_core/sensors/mlx90640/correction.py. */
#ifndef MLX90640_CORRECTION_H
#define MLX90640_CORRECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "correction.h"
#include "subpage.h"
#include "text.h"

#define MLX90640_CORRECTION_BYTES (3 * 4 * PIXELS + PIXELS / 8)

struct mlx90640_correction {
  struct flash_span body; /* of size 0: none, which changes nothing */
  float residual_k;
  bool identity;
  bool has_bad;
  uint32_t valid[ROWS]; /* bit c of word r is 0 for a bad pixel */
};

/* Its maps, in the order in which they are stored. */
enum mlx90640_correction_map { CORRECTION_OFFSET, CORRECTION_GAIN, CORRECTION_SLOPE };

/* A correction that changes nothing. */
void mlx90640_correction_none(struct mlx90640_correction *correction);

/* Check a body and make it usable. Returns OK or DAMAGED (another length, impossible values); the correction is
   mlx90640_correction_none's unless OK. */
enum status mlx90640_correction_open(const struct correction *blob, struct mlx90640_correction *correction);

/* Correct one picture in place at a die temperature of `ta` degC and fill bad pixels from their neighbours. */
void mlx90640_correction_apply(const struct mlx90640_correction *correction, float celsius[PIXELS], float ta);

/* One pixel's constant; `correction` is one that was opened. */
float mlx90640_correction_value(const struct mlx90640_correction *correction, enum mlx90640_correction_map map,
                                size_t pixel);

/* Whether no camera in order can need it; then `reason` gets a sentence with the figure. */
bool mlx90640_correction_is_implausible(const struct mlx90640_correction *correction, struct text *reason);

#endif
