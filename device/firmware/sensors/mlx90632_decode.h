/* An MLX90632's words to temperatures (data sheet 3901090632, sections 11.1 and 11.2), in single precision: the same
   bits as thermo_core.sensors.mlx90632. */
#ifndef MLX90632_DECODE_H
#define MLX90632_DECODE_H

#include <stdint.h>

#include "linear_correction.h"
#include "status.h"

#define MLX90632_CONSTANT_WORDS 45 /* EEPROM 0x2405-0x242F, 0x2481 and 0x2482 */
#define MLX90632_MEDICAL_WORDS 6   /* RAM 0x4003-0x4008 */
#define MLX90632_STALE_READINGS 16 /* so many equal ones in a row are a fault, see repeats.h */

struct mlx90632_constants {
  float p_r, p_g, p_t, p_o;         /* of the ambient temperature */
  float ea, eb, fa, fb, ga, ha, hb; /* of the object */
  float gb, ka;                     /* of the reference channel in both signals */
};

/* Read and check the EEPROM's words. Returns OK or BAD_EEPROM (no healthy chip holds them). */
enum status mlx90632_extract(const uint16_t words[MLX90632_CONSTANT_WORDS], struct mlx90632_constants *constants,
                             uint8_t id[6]);

/* The formulas; counts in, degC out. */
float mlx90632_ambient_signal(const struct mlx90632_constants *constants, float ambient, float reference);
float mlx90632_object_signal(const struct mlx90632_constants *constants, float objects, float ambient, float reference);
float mlx90632_ambient_celsius(const struct mlx90632_constants *constants, float amb);
float mlx90632_sensor_celsius(const struct mlx90632_constants *constants, float amb);

struct mlx90632_optics {
  float emissivity;        /* of the object, 0.05 to 1 */
  float reflected_celsius; /* temperature of what the object mirrors; NaN: the sensor's own */
};

/* `ta` is mlx90632_sensor_celsius's; NaN where no temperature gives such a signal. */
float mlx90632_object_celsius(const struct mlx90632_constants *constants, const struct mlx90632_optics *optics,
                              float signal, float ta);

struct mlx90632_reading {
  float object; /* degC; NaN where there is none */
  float ta;
  uint16_t flags; /* enum quality, without QUALITY_STALE */
};

/* A reading of the status word 0x3FFF that announced it and the words behind; `line` is the object's correction or
   NULL. Returns OK or UNDECODABLE (the cycle stands at neither measurement of the medical range). */
enum status mlx90632_decode(const struct mlx90632_constants *constants, const struct mlx90632_optics *optics,
                            const struct correction_line *line, uint16_t status,
                            const int16_t words[MLX90632_MEDICAL_WORDS], struct mlx90632_reading *reading);

#endif
