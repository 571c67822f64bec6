/* Per-pixel calibration of one sensor, T = a + b x + c (Ta - 25), used from where its bytes lie in flash. The layout is
   described at the top of core/thermo_core/correction.py. */
#ifndef CORRECTION_H
#define CORRECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"
#include "subpage.h"
#include "thermistor.h"

#define CORRECTION_MAX_ID_BYTES 8
#define CORRECTION_MAX_THERMISTORS 16
#define CORRECTION_FIXED_BYTES (32 + 3 * 4 * PIXELS + PIXELS / 8)
#define CORRECTION_MIN_BYTES (CORRECTION_FIXED_BYTES + 4)
#define CORRECTION_MAX_BYTES (CORRECTION_MIN_BYTES + 24 * CORRECTION_MAX_THERMISTORS)

/* A view: the blob has to stay where it is, unchanged. */
struct correction {
  const uint8_t *blob; /* NULL: none, which changes nothing */
  uint8_t id[CORRECTION_MAX_ID_BYTES];
  uint8_t id_size;
  uint8_t thermistors;
  uint32_t fingerprint; /* of the EEPROM it was made with; 0: not kept */
  float residual_k;
  bool identity;
  uint32_t valid[ROWS]; /* bit c of word r is 0 for a bad pixel */
  bool has_bad;
};

/* Its maps, in the order in which they are stored. */
enum correction_map { CORRECTION_OFFSET, CORRECTION_GAIN, CORRECTION_SLOPE };

/* A correction that changes nothing. */
void correction_none(struct correction *correction);

/* Check a whole blob and make it usable. Returns OK or DAMAGED (cut short, CRC, another version, impossible values);
   the correction is correction_none's unless OK. Thermistor curves beyond single precision count as impossible. */
enum status correction_open(const uint8_t *blob, size_t size, struct correction *correction);

/* Whether it was made with the sensor of this identity and with an EEPROM of this fingerprint. */
bool correction_fits(const struct correction *correction, const uint8_t *id, size_t id_size, uint32_t fingerprint);

/* Whether it changes no picture. */
bool correction_is_identity(const struct correction *correction);

/* Correct one picture in place at a die temperature of `ta` degC and fill bad pixels from their neighbours. */
void correction_apply(const struct correction *correction, float celsius[PIXELS], float ta);

/* One pixel's constant; `correction` is one that was opened. */
float correction_value(const struct correction *correction, enum correction_map map, size_t pixel);

/* The calibrated curve of a thermistor; false where the profile's is to be kept. */
bool correction_curve(const struct correction *correction, size_t channel, struct thermistor_curve *curve);

#endif
