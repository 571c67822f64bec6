/* A wearable as data: sensors, preprocessing, labels, alert rule and network, generated from a signed bundle by
   `thermo-quantize firmware`. No code branches on a wearable's name. */
#ifndef PROFILE_H
#define PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROFILE_MAX_CHANNELS 4
#define PROFILE_MAX_LABELS 64

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

/* The network that thermo-quantize compiled, with what its numbers mean. */
struct model_profile {
  int8_t *(*input)(void);
  void (*invoke)(void);
  const int8_t *(*output)(void);
  float input_scale;
  int8_t input_zero_point;
  float output_scale;
  int8_t output_zero_point;
  uint8_t output_count; /* as many as the profile's labels, or one less: the first label is then "none of the others" */
  uint8_t major, minor;
  uint16_t revision;
  uint32_t build;
  bool development_key;     /* signed with the key that everybody has */
  uint8_t image_sha256[32]; /* of the bundle's image, as a host compares it */
  const int8_t *test_input; /* golden inputs one after the other, and what the reference kernels make of them */
  const int8_t *test_output;
  size_t test_count;
  size_t test_input_size, test_output_size; /* of one */
};

struct profile {
  const char *name;
  const char *version;
  const char *notice;  /* stands beside each verdict */
  const uint8_t *cbor; /* the whole profile as canonical CBOR, for the host */
  size_t cbor_size;

  uint8_t camera_address;
  uint8_t camera_refresh_code;    /* control register bits 9-7: 0 is 0.5 Hz, 7 is 64 Hz */
  uint8_t camera_resolution_code; /* bits 11-10: 0 is 16 bit, 3 is 19 bit */
  bool camera_chess;
  float camera_emissivity;
  float camera_reflected_celsius; /* NaN: 8 K below the die */

  uint8_t adc_address;
  float adc_rate_hz; /* scans a second */
  uint8_t channel_count;
  struct thermistor_profile channels[PROFILE_MAX_CHANNELS];

  uint16_t average_pictures;
  bool centre_median;
  float feature_scale;

  uint8_t label_count;
  const char *const *labels;
  bool has_alert;
  uint8_t alert_label;
  float alert_threshold;
  uint16_t alert_consecutive;

  const struct model_profile *model; /* NULL: pictures without verdicts */
  uint8_t waived_count;
  const char *const *waived; /* what was found wanting when the bundle was signed, a sentence each */
};

#endif
