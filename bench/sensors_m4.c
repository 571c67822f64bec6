/* What decoding and packing of small sensors cost on a Cortex-M4, for bench/sensors.py: see m4_cost.h. */
#include "data.h" /* words, eeprom, readings, pulse, motion, and what their settings are */
#include "lis3dh_decode.h"
#include "m4_cost.h"
#include "max3010x_decode.h"
#include "mlx90614_decode.h"
#include "mlx90632_decode.h"
#include "samples.h"
#include "sht4x_decode.h"
#include "tmp117_decode.h"

#define REPEATS 64U

static struct mlx90632_constants mlx90632;
static struct mlx90614_constants mlx90614;
static struct mlx90632_reading reading;
static float values[3];
static uint8_t block[1200];

static void extract(uint32_t call) {
  uint8_t id[6];
  (void)call;
  mlx90632_extract(words_632, &mlx90632, id);
}

static void read_mlx90632(uint32_t call) {
  static const struct mlx90632_optics optics = {0.98F, __builtin_nanf("")};
  mlx90632_decode(&mlx90632, &optics, NULL, 5, readings_632[call % READINGS], &reading);
}

static void read_mlx90614(uint32_t call) {
  static const struct mlx90614_optics optics = {0.98F, __builtin_nanf("")};
  static struct mlx90614_reading found;
  mlx90614_decode(&mlx90614, &optics, NULL, readings_614[call % READINGS], 1, &found);
}

static void read_sht4x(uint32_t call) {
  const uint16_t said[2] = {(uint16_t)(26000U + call), (uint16_t)(30000U + call)};
  sht4x_decode(said, NULL, values);
}

static void read_tmp117(uint32_t call) {
  tmp117_decode(0x2220U, (uint16_t)(0x1000U + call), NULL, values);
}

static void read_pulse(uint32_t call) {
  static const struct max3010x_scale scale = {2, 4096, 0x3FFFF, 160.0F};
  max3010x_decode(&scale, pulse[call % SAMPLES], 0, values);
}

static void read_motion(uint32_t call) {
  static const struct lis3dh_scale scale = {4, 2};
  lis3dh_decode(&scale, NULL, motion[call % SAMPLES], values);
}

static size_t pack_pulse_from(uint32_t at) {
  static const struct sample_format format = {2, 0, 0x3FFFF};
  static const struct sample_timing timing = {10000, 0, 0};
  return samples_encode(&format, &timing, pulse[at], BURST, block);
}

static size_t pack_motion_from(uint32_t at) {
  static const struct sample_format format = {3, -2048, 2047};
  static const struct sample_timing timing = {40000, 0, 0};
  return samples_encode(&format, &timing, motion[at], BURST, block);
}

static void pack_pulse(uint32_t call) {
  pack_pulse_from(call % (SAMPLES - BURST));
}

static void pack_motion(uint32_t call) {
  pack_motion_from(call % (SAMPLES - BURST));
}

int main(void) {
  uint8_t id[8];
  start_counting();
  mlx90614_extract(words_614, &mlx90614, id);
  show("extract", cost(extract, 0, REPEATS));
  show("mlx90632", cost(read_mlx90632, 0, REPEATS));
  show("mlx90614", cost(read_mlx90614, 0, REPEATS));
  show("sht4x", cost(read_sht4x, 0, REPEATS));
  show("tmp117", cost(read_tmp117, 0, REPEATS));
  show("pulse", cost(read_pulse, 0, REPEATS));
  show("motion", cost(read_motion, 0, REPEATS));
  show("pack_pulse", cost(pack_pulse, 0, REPEATS));
  show("pack_motion", cost(pack_motion, 0, REPEATS));
  for (uint32_t i = 0; i < READINGS; i++) {
    read_mlx90632(i);
    dump("celsius", &reading.object, sizeof reading.object);
  }
  for (uint32_t at = 0; at + BURST <= SAMPLES; at += BURST) {
    dump("pulse_block", block, pack_pulse_from(at));
    dump("motion_block", block, pack_motion_from(at));
  }
  return 0;
}
