/* A TMP117's words to a temperature: the same bits as thermo_core.sensors.tmp117. */
#ifndef TMP117_DECODE_H
#define TMP117_DECODE_H

#include <stdint.h>

#include "linear_correction.h"

/* Temperature, degC, of the configuration word that announced a result, and the result; NaN where it is none. `line` is
   its correction or NULL. Returns enum quality; QUALITY_STALE where the result was not announced. */
uint16_t tmp117_decode(uint16_t configuration, uint16_t result, const struct correction_line *line, float *celsius);

#endif
