/* What the firmware's numerics cost on a Cortex-M4, for bench/firmware.py: see m4_cost.h. */
#include <string.h>

#include "correction.h"
#include "counts.h"
#include "data.h" /* eeprom, frames, random_frames, blob */
#include "interpolate.h"
#include "m4_cost.h"
#include "mlx90640_constants.h"
#include "mlx90640_correction.h"
#include "nor_flash.h"
#include "mlx90640_decode.h"
#include "thermistor.h"

#define REPEATS 20U

static struct mlx90640_constants constants;
static struct counts_encoder encoder;
static struct mlx90640_correction correction;
static float celsius[PIXELS];
static uint32_t valid[ROWS];
static uint8_t packed[COUNTS_MAX_BYTES];

static void decode_with(const struct mlx90640_optics *optics, const uint16_t pages[2][834]) {
  struct mlx90640_conditions conditions;
  for (uint32_t half = 0; half < 2; half++) {
    const uint16_t *words = pages[half];
    mlx90640_read_conditions(&constants, words, words[832], (uint8_t)words[833], &conditions);
    mlx90640_decode(&constants, optics, words, &conditions, celsius, valid);
  }
}

static void decode(const uint16_t pages[2][834]) {
  static const struct mlx90640_optics optics = {EMISSIVITY, REFLECTED};
  decode_with(&optics, pages);
}

static void picture(uint32_t call) {
  decode(&frames[2U * call % FRAMES]);
}

static void picture_of_all_ranges(uint32_t call) {
  (void)call;
  decode(extreme_frames);
}

static void pack(const uint16_t *words, uint32_t index) {
  bool key;
  uint32_t key_index;
  counts_encode(&encoder, words, words[832], (uint8_t)words[833], index, packed, &key, &key_index);
}

static void pack_still(uint32_t call) {
  pack(frames[call % FRAMES], call);
}

static void pack_random(uint32_t call) {
  pack(random_frames[call % RANDOM_FRAMES], call);
}

static void pack_outliers(uint32_t call) {
  pack(outlier_frames[call % RANDOM_FRAMES], call);
}

static void extract(uint32_t call) {
  (void)call;
  mlx90640_extract(eeprom, &constants);
}

static void fill(uint32_t call) {
  (void)call;
  uint32_t holes[ROWS];
  memset(holes, 0xFF, sizeof holes);
  holes[0] ^= 1U;
  holes[7] ^= 1U << 12;
  holes[15] ^= 1U << 31;
  holes[23] ^= 1U << 20;
  interpolate_invalid(celsius, holes);
}

static void correct(uint32_t call) {
  (void)call;
  memcpy(celsius, scene, sizeof celsius);
  mlx90640_correction_apply(&correction, celsius, 33.0F);
}

static void thermistor(uint32_t call) {
  static const struct thermistor_profile profile = {
      .series_ohm = 10000.0F, .supply_v = 3.3F, .ntc_to_ground = true, .curve = {10000.0F, 3950.0F, 0.0F}};
  static struct thermistor_curve curve;
  static float temperature;
  if (call == 0) {
    thermistor_profile_curve(&profile, &curve);
  }
  thermistor_celsius(&profile, &curve, (int16_t)(12000 + 10 * (int32_t)call), &temperature);
}

/* Pictures of the still scene. */
static void dump_scene(void) {
  for (uint32_t i = 0; i < FRAMES / 2U; i++) {
    picture(i);
    dump("scene", celsius, sizeof celsius);
  }
}

static void dump_golden(void) {
  for (uint32_t i = 0; i < GOLDEN; i++) {
    const struct mlx90640_optics optics = {golden_optics[i][0], golden_optics[i][1]};
    mlx90640_extract(golden_eeproms[i], &constants);
    decode_with(&optics, &golden_frames[2U * i]);
    dump("golden", celsius, sizeof celsius);
  }
}

int main(void) {
  start_counting();

  show("extract", cost(extract, 0, REPEATS));
  show("picture", cost(picture, 0, REPEATS));
  show("extreme", cost(picture_of_all_ranges, 0, REPEATS));
  show("fill", cost(fill, 0, REPEATS));
  counts_restart(&encoder, 1);
  show("pack_key", cost(pack_still, 0, REPEATS));
  show("pack_key_random", cost(pack_random, 0, REPEATS));
  counts_restart(&encoder, COUNTS_KEY_INTERVAL);
  pack_still(0);
  pack_still(1);
  show("pack_difference", cost(pack_still, 2, REPEATS));
  counts_restart(&encoder, COUNTS_KEY_INTERVAL);
  pack_random(0);
  pack_random(1);
  show("pack_difference_random", cost(pack_random, 2, REPEATS));
  counts_restart(&encoder, COUNTS_KEY_INTERVAL);
  pack_outliers(0);
  pack_outliers(1);
  show("pack_difference_outliers", cost(pack_outliers, 2, REPEATS));
  struct correction opened;
  struct nor_flash nor = {
      .bytes = (uint8_t *)blob, .read_size = 1, .prog_size = 1, .block_size = sizeof blob, .block_count = 1};
  const struct flash flash = nor_flash(&nor);
  const struct flash_span stored = {&flash, 0, sizeof blob};
  if (correction_open(&stored, &opened) != STATUS_OK ||
      mlx90640_correction_open(&opened, &correction) != STATUS_OK) {
    say("FAULT\n");
  }
  show("correct", cost(correct, 0, REPEATS));
  show("thermistor", cost(thermistor, 0, REPEATS));
  dump_scene();
  dump_golden();
  return 0;
}
