/* NTC thermistors: counts of an ADS1115 at 4.096 V full scale -> volts -> ohm -> degC, and what is wrong with a
   channel. */
#ifndef THERMISTOR_H
#define THERMISTOR_H

#include <stdbool.h>
#include <stdint.h>

/* A divider of a fixed resistor and an NTC behind one input of the ADC. */
struct thermistor_profile {
  const char *name;
  float series_ohm;
  float supply_v;
  bool ntc_to_ground;
  bool steinhart_hart; /* curve is a, b, c of Steinhart-Hart; otherwise r25 in ohm and beta in K */
  float curve[3];
  float self_heating_k_per_mw;
};

enum thermistor_state { THERMISTOR_OK, THERMISTOR_OPEN, THERMISTOR_SHORTED, THERMISTOR_MISSING, THERMISTOR_FROZEN };

/* Steinhart-Hart: 1/T = a + b ln R + c (ln R)^3, T in K and R in ohm. */
struct thermistor_curve {
  float a, b, c;
};

/* Whether these can be the constants of an NTC: finite, and resistance falls with temperature up to 1 Mohm. */
bool thermistor_curve_is_possible(const struct thermistor_curve *curve);

/* The curve a profile gives; false where its constants are no NTC's. */
bool thermistor_profile_curve(const struct thermistor_profile *profile, struct thermistor_curve *curve);

/* Temperature of the bead, degC, at a resistance in ohm. */
float thermistor_curve_celsius(const struct thermistor_curve *curve, float ohm);

/* Temperature of what the thermistor touches, degC, self-heating taken off; 0 where the state is not OK. `curve` is
   thermistor_profile_curve's or a calibrated one. THERMISTOR_MISSING and THERMISTOR_FROZEN never come from here: they
   are for a channel without counts. */
enum thermistor_state thermistor_celsius(const struct thermistor_profile *profile, const struct thermistor_curve *curve,
                                         int16_t counts, float *celsius);

#endif
