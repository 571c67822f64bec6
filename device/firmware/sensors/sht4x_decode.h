/* An SHT4x's answers to temperature and humidity: the same bits as thermo_core.sensors.sht4x. */
#ifndef SHT4X_DECODE_H
#define SHT4X_DECODE_H

#include <stdint.h>

#include "linear_correction.h"
#include "status.h"

#define SHT4X_ANSWER 6
#define SHT4X_STALE_READINGS 32 /* so many equal ones in a row are a fault, see repeats.h */

/* Both words of an answer. Returns OK or DAMAGED (a check byte does not hold). */
enum status sht4x_words(const uint8_t answer[SHT4X_ANSWER], uint16_t words[2]);

/* Temperature, degC, and relative humidity, %; `lines` are their corrections or NULL. Returns enum quality, without
   QUALITY_STALE. */
uint16_t sht4x_decode(const uint16_t words[2], const struct correction_line *lines, float values[2]);

#endif
