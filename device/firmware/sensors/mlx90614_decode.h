/* An MLX90614's words to temperatures, in single precision: the same bits as thermo_core.sensors.mlx90614. */
#ifndef MLX90614_DECODE_H
#define MLX90614_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "linear_correction.h"
#include "status.h"

#define MLX90614_EEPROM_WORDS 32
#define MLX90614_ZONES 2
#define MLX90614_WRITE_BYTES 4

struct mlx90614_constants {
  float emissivity; /* that the chip's temperatures rest on */
  uint8_t zones;
};

/* Read and check the EEPROM's words. Returns OK or BAD_EEPROM (no healthy chip holds them). */
enum status mlx90614_extract(const uint16_t words[MLX90614_EEPROM_WORDS], struct mlx90614_constants *constants,
                             uint8_t id[8]);

/* The word of three bytes read after a command: low, high, packet error code. Returns OK or DAMAGED (the code does not
   hold). */
enum status mlx90614_word(const uint8_t answer[3], uint8_t address, uint8_t command, bool check_pec, uint16_t *word);

/* Bytes that write a word: command, word, packet error code. */
void mlx90614_write_message(uint8_t address, uint8_t command, uint16_t word, uint8_t message[MLX90614_WRITE_BYTES]);

struct mlx90614_optics {
  float emissivity;        /* of the object, 0.05 to 1 */
  float reflected_celsius; /* temperature of what the object mirrors; NaN: the sensor's own */
};

struct mlx90614_reading {
  float object[MLX90614_ZONES]; /* degC; NaN where there is none */
  float ta;
  uint16_t object_flags[MLX90614_ZONES]; /* enum quality, without QUALITY_STALE */
  uint16_t ta_flags;
};

/* A reading of the words of the sensor's and each zone's temperature; `lines` are the zones' corrections or NULL. */
void mlx90614_decode(const struct mlx90614_constants *constants, const struct mlx90614_optics *optics,
                     const struct correction_line *lines, const uint16_t *words, uint32_t zones,
                     struct mlx90614_reading *reading);

#endif
