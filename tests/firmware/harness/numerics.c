/* The firmware's numerics behind plain arrays and numbers, so that Python needs to know no struct's layout. */
#include <string.h>

#include "ads1115_ntc.h"
#include "bytes_in_flash.h"
#include "correction.h"
#include "counts.h"
#include "interpolate.h"
#include "mlx90640_constants.h"
#include "mlx90640_correction.h"
#include "mlx90640_decode.h"
#include "thermistor.h"

int soft_switch;

static struct mlx90640_constants constants;
static struct counts_encoder encoder;
static struct correction blob;
static struct mlx90640_correction correction;
static struct board board;
static struct counters counters;
static struct thermistor_settings thermistors;
static struct ads1115_ntc_state state;
static const struct sensor array = {
    .driver = &ads1115_ntc_driver, .name = "spots", .settings = &thermistors, .state = &state};

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

static uint64_t at_start(void *context) {
  (void)context;
  return 0;
}

/* An array of thermistors, each a 10 kohm NTC of beta 3950 K: "t0", "t1" and so on. */
void shim_thermistors(uint8_t channels) {
  static const struct sensor_context context = {.board = &board, .counters = &counters};
  static const char *const names[THERMISTOR_MAX_CHANNELS] = {"t0", "t1", "t2", "t3"};
  board.now_us = at_start;
  thermistors = (struct thermistor_settings){.address = 0x48, .channel_count = channels, .rate_hz = 2.0F};
  for (size_t i = 0; i < channels; i++) {
    thermistors.channels[i] = (struct thermistor_profile){
        .name = names[i], .series_ohm = 10000.0F, .supply_v = 3.3F, .curve = {10000.0F, 3950.0F}};
  }
  array.driver->init(&array, &context);
}

/* Envelope and body; the kind is 1 or 2, whose body is checked as well, or another one. */
int shim_correction_open(const uint8_t *bytes, size_t size) {
  mlx90640_correction_none(&correction);
  const struct flash_span data = bytes_in_flash(bytes, size);
  const enum status status = correction_open(&data, &blob);
  if (status != STATUS_OK || blob.kind > 2) {
    return (int)status;
  }
  if (blob.kind == 1) {
    return (int)mlx90640_correction_open(&blob, &correction);
  }
  return blob.kind == 2 && array.driver->possible(&array, &blob) ? STATUS_OK : STATUS_DAMAGED;
}

int shim_correction_is_identity(void) {
  return correction.identity;
}

void shim_correction_apply(float *celsius, float ta) {
  mlx90640_correction_apply(&correction, celsius, ta);
}

/* Use the curves that were opened last. */
void shim_correction_use(void) {
  array.driver->correct(&array, &blob);
}

int shim_correction_curve(size_t channel, float curve[3]) {
  memcpy(curve, &state.array.curves[channel], 3 * sizeof *curve);
  return state.calibrated[channel];
}

/* Of a camera, or of the array of thermistors. */
int shim_correction_is_implausible(char *sentence, size_t capacity) {
  struct text text;
  text_begin(&text, sentence, capacity);
  return blob.kind == 1 ? mlx90640_correction_is_implausible(&correction, &text)
                        : array.driver->objects(&array, &blob, &text);
}

size_t shim_correction_id(uint8_t id[8]) {
  memcpy(id, blob.id, sizeof blob.id);
  return blob.id_size;
}

int shim_correction_fits(const uint8_t *id, size_t id_size, uint32_t fingerprint) {
  return correction_fits(&blob, id, id_size, fingerprint);
}
