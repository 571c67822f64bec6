/* From the counts of a subpage to temperatures (datasheet section 11.2.2), in single precision. */
#ifndef MLX90640_DECODE_H
#define MLX90640_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "mlx90640_constants.h"
#include "status.h"
#include "subpage.h"

struct mlx90640_optics {
  float emissivity;        /* of the object, 0.05 to 1 */
  float reflected_celsius; /* temperature of what the object mirrors, -100 to 200; NaN: 8 K below the die */
};

/* What all pixels of a subpage share, from its auxiliary words. */
struct mlx90640_conditions {
  uint8_t number;     /* subpage, 0 or 1 */
  bool chess;         /* read in chess pattern, otherwise interleaved */
  float ta;           /* die temperature, degC */
  float vdd;          /* supply, V */
  float dta;          /* ta - 25 degC, K */
  float dv;           /* vdd - 3.3 V, V */
  float gain;         /* what counts are to be multiplied with */
  float compensation; /* signal of the compensation pixel times TGC, counts */
};

/* Read and check the auxiliary words of one subpage. `ram` is 0x0400-0x073F, `control` the register 0x800D read with
   it. Returns OK, ARGUMENT (no such subpage) or BAD_AUXILIARY (a word was not measured or cannot be right). */
enum status mlx90640_read_conditions(const struct mlx90640_constants *constants, const uint16_t ram[RAM_WORDS],
                                     uint16_t control, uint8_t number, struct mlx90640_conditions *conditions);

/* Temperatures of the subpage's own pixels, degC, and whether each is valid (bit c of word r for row r, column c); all
   others stay as they were. An invalid pixel reads 0: it is broken or an outlier, its reading is saturated, or no
   temperature that the sensor measures gives such a signal. Returns OK, ARGUMENT (optics out of range) or UNDECODABLE
   (no pixel is valid). */
enum status mlx90640_decode(const struct mlx90640_constants *constants, const struct mlx90640_optics *optics,
                            const uint16_t ram[RAM_WORDS], const struct mlx90640_conditions *conditions,
                            float celsius[PIXELS], uint32_t valid[ROWS]);

#endif
