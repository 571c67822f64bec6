/* Pictures -> int8 input of the network: mean of the last N pictures, minus its median, scaled and quantised. */
#ifndef FEATURE_EXTRACTOR_H
#define FEATURE_EXTRACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "profile.h"
#include "status.h"
#include "subpage.h"

#define FEATURES_MAX_PICTURES 16

/* The last pictures in steps of 1/128 K, saturating at +-256 degC. That is off by at most 1/256 K a picture, so is the
   mean, and its standard deviation is 0.0023 K over the root of N: far below an input step of the network, which is
   some hundredths of a kelvin. */
struct features {
  uint16_t length; /* N */
  uint16_t count;
  uint16_t next;
  int16_t pictures[FEATURES_MAX_PICTURES][PIXELS];
};

/* Set N and forget all pictures. Returns OK, or ARGUMENT where N is 0 or above FEATURES_MAX_PICTURES. */
enum status features_start(struct features *features, uint16_t average_pictures);

/* Forget all pictures, as after a gap that makes the mean meaningless. */
void features_reset(struct features *features);

/* Take one picture, degC. Returns OK, or ARGUMENT where a value is not finite; then it is not taken. */
enum status features_push(struct features *features, const float celsius[PIXELS]);

/* How many pictures the mean holds at present. */
uint16_t features_pictures(const struct features *features);

/* Whether N pictures have come since the last reset. */
bool features_ready(const struct features *features);

/* The network's input of PIXELS bytes. `scratch` is overwritten. Returns OK, EMPTY before features_ready, or
   ARGUMENT where the profile has no model. */
enum status features_quantize(const struct features *features, const struct profile *profile, int32_t scratch[PIXELS],
                              int8_t input[PIXELS]);

#endif
