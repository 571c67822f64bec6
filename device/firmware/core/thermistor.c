/* Counts of a divider's tap to a thermistor's temperature. */
#include "thermistor.h"

#include <math.h>

#include "float32.h"
#include "units.h"

#define KELVIN_25 298.15F
/* A tap within this share of the supply from either rail is a broken or bridged thermistor, not a temperature. */
#define RAIL 0.005F
#define LARGEST_COUNTS 32767
#define VOLTS_PER_COUNT 0.000125F
/* (ln 1 Mohm)^2. */
#define LOG_OHM_LIMIT_SQUARED 190.86834F

bool thermistor_curve_is_possible(const struct thermistor_curve *curve) {
  return isfinite(curve->a) && isfinite(curve->b) && isfinite(curve->c) && curve->b > 0.0F &&
         curve->b + 3.0F * curve->c * LOG_OHM_LIMIT_SQUARED > 0.0F;
}

bool thermistor_profile_curve(const struct thermistor_profile *profile, struct thermistor_curve *curve) {
  if (profile->steinhart_hart) {
    *curve = (struct thermistor_curve){profile->curve[0], profile->curve[1], profile->curve[2]};
  } else {
    const float r25 = profile->curve[0];
    const float beta = profile->curve[1];
    if (!(isfinite(r25) && isfinite(beta) && r25 > 0.0F && beta > 0.0F)) {
      return false;
    }
    *curve = (struct thermistor_curve){1.0F / KELVIN_25 - float32_log(r25) / beta, 1.0F / beta, 0.0F};
  }
  return thermistor_curve_is_possible(curve);
}

float thermistor_curve_celsius(const struct thermistor_curve *curve, float ohm) {
  const float log = float32_log(ohm);
  return 1.0F / (curve->a + log * (curve->b + curve->c * log * log)) - KELVIN;
}

enum thermistor_state thermistor_celsius(const struct thermistor_profile *profile, const struct thermistor_curve *curve,
                                         int16_t counts, float *celsius) {
  /* at the end of its scale the ADC may stand before any voltage beyond */
  const float share = counts == LARGEST_COUNTS ? 1.0F : (float)counts * VOLTS_PER_COUNT / profile->supply_v;
  *celsius = 0.0F;
  if (share <= RAIL) {
    return profile->ntc_to_ground ? THERMISTOR_SHORTED : THERMISTOR_OPEN;
  }
  if (share >= 1.0F - RAIL) {
    return profile->ntc_to_ground ? THERMISTOR_OPEN : THERMISTOR_SHORTED;
  }
  const float of_ntc = profile->ntc_to_ground ? share : 1.0F - share;
  const float ohm = profile->series_ohm * of_ntc / (1.0F - of_ntc);
  const float bead = thermistor_curve_celsius(curve, ohm);
  const float amperes = profile->supply_v / (ohm + profile->series_ohm);
  *celsius = bead - profile->self_heating_k_per_mw * 1e3F * ohm * amperes * amperes;
  return THERMISTOR_OK;
}
