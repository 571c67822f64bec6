/* Whether a calibration can be one of the sensor at hand: what it changes of the EEPROM's own temperatures is bounded,
   by the limits of thermo_core.correction_bounds. */
#ifndef CORRECTION_BOUNDS_H
#define CORRECTION_BOUNDS_H

#include <stdbool.h>

#include "correction.h"
#include "profile.h"
#include "text.h"

/* Whether no sensor in order can need it; then `reason` gets a sentence with the figure. */
bool correction_is_implausible(const struct correction *correction, const struct profile *profile, struct text *reason);

#endif
