/* The equation of a pixel in whole numbers, for processors without a floating-point unit. What all pixels of a subpage
   share comes from mlx90640_decode.c, in single precision; where it does not fit the formats below, it says so, and the
   pixels are decoded in single precision too.

   quantity                                    format                        holds
   counts x gain x emissivity's part x 2^-k    int32, 1/2^15 count           gain's part in [0.5, 1): 2^15 counts
   offset, whole counts                        int32                         +-8191
   drift's part x 2^-k, gain's part            int32, 1/2^30                 below 2
   background's part x 2^-k                    int32, 1/2^15 count           below 8192 counts
   1 / sensitivity                             16 bits and the exponent of its float; a count of 1/2^15 is at most 2^17
   K^4 x, and x over the sensitivity of a range    int32, 256 K^4                below 2^30, that is 720 K what a pixel
   sees besides the object        int32, 256 K^4                -2^26 to 2^29 temperature uint32, 1/2^21 K below 1024 K
   relative sensitivity, and 1 over it         uint32, 1/2^28                0.5 to 2 from 150 to 850 K, slope below
   1/128

   Within 0.005 K of single precision below 45 degC, 0.02 K above. */
#ifndef MLX90640_FIXED_H
#define MLX90640_FIXED_H

#include <stdbool.h>
#include <stdint.h>

#include "mlx90640_constants.h"

/* What all pixels of a subpage share. */
struct mlx90640_fixed {
  int32_t gain;               /* 1/2^30, with the emissivity's part */
  int32_t tatr;               /* 256 K^4 */
  int32_t level[4], slope[4]; /* 1/2^28 */
  uint32_t corner[3];         /* 1/2^21 K */
  int32_t exponent;           /* of the float of 1 / sensitivity to that of x */
  float part;                 /* what drift and background are to be multiplied with: emissivity's part x 2^-k */
  uint32_t reciprocal; /* 1/2^28, of the relative sensitivity of the pixel before: where the next search begins */
};

/* Take over what a subpage's pixels share: gain, 1 / (emissivity x what die temperature makes of the sensitivity), what
   a pixel sees besides the object. Whether it fits. */
bool mlx90640_fixed_begin(struct mlx90640_fixed *fixed, const struct mlx90640_constants *constants, float gain,
                          float per_emissivity, float tatr);

/* Take over the drift of a row's offsets or its background, in the number of bits after the point. Whether they fit. */
bool mlx90640_fixed_drift(const struct mlx90640_fixed *fixed, const float *drift, uint32_t count, int32_t *whole);
bool mlx90640_fixed_background(const struct mlx90640_fixed *fixed, const float *background, uint32_t count,
                               int32_t *whole);

/* Temperatures of a row's own pixels, from `first` in steps of `step`, as mlx90640_decode.c has it in single precision;
   returns the valid ones. */
uint32_t mlx90640_fixed_row(struct mlx90640_fixed *fixed, const struct mlx90640_constants *constants,
                            const int32_t background[4], const int32_t drift[16], uint32_t row, uint32_t first,
                            uint32_t step, const uint16_t *counts, float *celsius);

#endif
