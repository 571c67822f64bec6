/* The firmware's numerics behind plain arrays and numbers, so that Python needs to know no struct's layout. */
#include <string.h>

#include "correction.h"
#include "correction_bounds.h"
#include "counts.h"
#include "crc.h"
#include "feature_extractor.h"
#include "interpolate.h"
#include "mlx90640_constants.h"
#include "mlx90640_decode.h"
#include "scores.h"
#include "thermistor.h"

static struct mlx90640_constants constants;
static struct counts_encoder encoder;
static struct features features;
static struct correction correction;

size_t shim_size_of_constants(void) {
  return sizeof constants;
}

/* bad: number, address of the first word doubted or 0, then the pixels. */
int shim_extract(const uint16_t *eeprom, uint8_t id[6], uint16_t bad[14]) {
  static uint16_t kept[MLX90640_EEPROM_WORDS];
  memcpy(kept, eeprom, sizeof kept);
  memset(&constants, 0xA5, sizeof constants);
  const enum status status = mlx90640_extract(kept, &constants);
  memcpy(id, constants.device_id, 6);
  bad[0] = constants.found.bad_count;
  bad[1] = constants.found.doubt;
  memcpy(bad + 2, constants.found.bad, sizeof constants.found.bad);
  return (int)status;
}

/* readings: ta, vdd, gain, compensation, of whether the pattern is chess. */
int shim_decode(const uint16_t *words, float emissivity, float reflected, float readings[5], float *celsius,
                uint32_t *valid) {
  const struct mlx90640_optics optics = {emissivity, reflected};
  struct mlx90640_conditions conditions;
  const enum status status = mlx90640_read_conditions(&constants, words, words[832], (uint8_t)words[833], &conditions);
  if (status != STATUS_OK) {
    return (int)status;
  }
  readings[0] = conditions.ta;
  readings[1] = conditions.vdd;
  readings[2] = conditions.gain;
  readings[3] = conditions.compensation;
  readings[4] = conditions.chess ? 1.0F : 0.0F;
  return (int)mlx90640_decode(&constants, &optics, words, &conditions, celsius, valid);
}

void shim_counts_restart(uint16_t key_interval) {
  counts_restart(&encoder, key_interval);
}

size_t shim_counts_encode(const uint16_t *words, uint32_t index, uint8_t *packed, uint8_t *key, uint32_t *key_index) {
  bool is_key = false;
  const size_t size =
      counts_encode(&encoder, words, words[832], (uint8_t)words[833], index, packed, &is_key, key_index);
  *key = is_key;
  return size;
}

/* profile: series_ohm, supply_v, the curve's three, self-heating. calibrated: a, b, c or NULL. Returns -1 where a curve
   is impossible. */
int shim_thermistor(const float profile[6], int to_ground, int steinhart_hart, const float *calibrated, int16_t counts,
                    float *celsius) {
  const struct thermistor_profile thermistor = {
      .name = "",
      .series_ohm = profile[0],
      .supply_v = profile[1],
      .ntc_to_ground = to_ground != 0,
      .steinhart_hart = steinhart_hart != 0,
      .curve = {profile[2], profile[3], profile[4]},
      .self_heating_k_per_mw = profile[5],
  };
  struct thermistor_curve curve;
  if (calibrated != NULL) {
    memcpy(&curve, calibrated, sizeof curve);
    if (!thermistor_curve_is_possible(&curve)) {
      return -1;
    }
  } else if (!thermistor_profile_curve(&thermistor, &curve)) {
    return -1;
  }
  return (int)thermistor_celsius(&thermistor, &curve, counts, celsius);
}

int shim_correction_open(const uint8_t *blob, size_t size) {
  return (int)correction_open(blob, size, &correction);
}

int shim_correction_is_identity(void) {
  return correction_is_identity(&correction);
}

void shim_correction_apply(float *celsius, float ta) {
  correction_apply(&correction, celsius, ta);
}

int shim_correction_curve(size_t channel, float curve[3]) {
  struct thermistor_curve found;
  if (!correction_curve(&correction, channel, &found)) {
    return 0;
  }
  memcpy(curve, &found, sizeof found);
  return 1;
}

/* Against a profile with one 10 kohm NTC of beta 3950 K. */
int shim_correction_is_implausible(char *sentence, size_t capacity) {
  static const struct profile profile = {
      .channel_count = 1,
      .channels = {{.name = "skin", .series_ohm = 10000.0F, .supply_v = 3.3F, .curve = {10000.0F, 3950.0F}}}};
  struct text text;
  text_begin(&text, sentence, capacity);
  return correction_is_implausible(&correction, &profile, &text);
}

size_t shim_correction_id(uint8_t id[8]) {
  memcpy(id, correction.id, sizeof correction.id);
  return correction.id_size;
}

int shim_features_start(uint16_t average_pictures) {
  return (int)features_start(&features, average_pictures);
}

void shim_features_reset(void) {
  features_reset(&features);
}

int shim_features_push(const float *celsius) {
  return (int)features_push(&features, celsius);
}

int shim_features_pictures(void) {
  return features_pictures(&features);
}

int shim_features_quantize(int centre_median, float feature_scale, float input_scale, int8_t zero_point,
                           int8_t *input) {
  const struct model_profile model = {.input_scale = input_scale, .input_zero_point = zero_point};
  const struct profile profile = {.centre_median = centre_median != 0, .feature_scale = feature_scale, .model = &model};
  static int32_t scratch[PIXELS];
  return (int)features_quantize(&features, &profile, scratch, input);
}

/* Scores as the wire carries them; returns the label. */
int shim_scores(const int8_t *output, int outputs, int labels, float scale, int8_t zero_point, uint16_t *on_wire) {
  const struct model_profile model = {
      .output_scale = scale, .output_zero_point = zero_point, .output_count = (uint8_t)outputs};
  const struct profile profile = {.label_count = (uint8_t)labels, .model = &model};
  struct scores scores;
  scores_of(&profile, output, &scores);
  for (int i = 0; i < labels; i++) {
    on_wire[i] = scores_on_wire(scores.values[i]);
  }
  return scores.label;
}
