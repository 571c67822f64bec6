/* Decoders and codecs of sensors behind plain arrays and numbers, so that Python needs to know no struct's layout. */
#include <math.h>

#include "bytes_in_flash.h"
#include "crc8.h"
#include "linear_correction.h"
#include "lis3dh_decode.h"
#include "max3010x_decode.h"
#include "mlx90614_decode.h"
#include "mlx90632_decode.h"
#include "quality.h"
#include "repeats.h"
#include "samples.h"
#include "sht4x_decode.h"
#include "tmp117_decode.h"

static struct correction_line lines[2];
static struct lis3dh_correction axes;
static struct mlx90632_constants mlx90632;
static struct mlx90614_constants mlx90614;
static struct repeats repeats;

/* Every function that decodes takes whether it is corrected, by what was read last. */
int sensors_lines(const uint8_t *body, size_t size, size_t count) {
  const struct flash_span span = bytes_in_flash(body, size);
  return (int)correction_lines_read(&span, lines, count);
}

int sensors_axes(const uint8_t *body, size_t size) {
  const struct flash_span span = bytes_in_flash(body, size);
  return (int)lis3dh_correction_read(&span, &axes);
}

size_t sensors_pack(uint32_t channels, int32_t low, int32_t high, uint32_t period_us, uint32_t lost, uint8_t status,
                    const int32_t *values, size_t samples, uint8_t *to) {
  const struct sample_format format = {(uint8_t)channels, low, high};
  const struct sample_timing timing = {period_us, lost, status};
  return samples_encode(&format, &timing, values, samples, to);
}

size_t sensors_longest(uint32_t channels, int32_t low, int32_t high, size_t samples) {
  const struct sample_format format = {(uint8_t)channels, low, high};
  return samples_longest(&format, samples);
}

int sensors_mlx90632_extract(const uint16_t *words, uint8_t *id) {
  return (int)mlx90632_extract(words, &mlx90632, id);
}

/* amb, ambient, ta, signal, object of the vendor's vectors; `whole` drops the fractions that the vendor drops. */
void sensors_mlx90632_formulas(float objects, float ambient, float reference, float emissivity, float reflected,
                               int whole, float found[5]) {
  const struct mlx90632_optics optics = {emissivity, reflected};
  const float amb = mlx90632_ambient_signal(&mlx90632, ambient, reference);
  const float signal = mlx90632_object_signal(&mlx90632, objects, ambient, reference);
  found[0] = whole ? truncf(amb) : amb;
  found[3] = whole ? truncf(signal) : signal;
  found[1] = mlx90632_ambient_celsius(&mlx90632, found[0]);
  found[2] = mlx90632_sensor_celsius(&mlx90632, found[0]);
  found[4] = mlx90632_object_celsius(&mlx90632, &optics, found[3], found[2]);
}

int sensors_mlx90632_decode(float emissivity, float reflected, int corrected, uint16_t status, const int16_t *words,
                            float values[2], uint16_t flags[2]) {
  const struct mlx90632_optics optics = {emissivity, reflected};
  struct mlx90632_reading reading = {0};
  const enum status done = mlx90632_decode(&mlx90632, &optics, corrected ? lines : NULL, status, words, &reading);
  values[0] = reading.object;
  values[1] = reading.ta;
  flags[0] = flags[1] = reading.flags;
  return (int)done;
}

int sensors_mlx90614_extract(const uint16_t *words, uint8_t *id, float *emissivity, uint8_t *zones) {
  const enum status done = mlx90614_extract(words, &mlx90614, id);
  *emissivity = mlx90614.emissivity;
  *zones = mlx90614.zones;
  return (int)done;
}

int sensors_mlx90614_word(const uint8_t *answer, uint8_t address, uint8_t command, int check, uint16_t *word) {
  return (int)mlx90614_word(answer, address, command, check != 0, word);
}

void sensors_mlx90614_write(uint8_t address, uint8_t command, uint16_t word, uint8_t *message) {
  mlx90614_write_message(address, command, word, message);
}

void sensors_mlx90614_decode(float emissivity, float reflected, int corrected, const uint16_t *words, uint32_t zones,
                             float values[3], uint16_t flags[3]) {
  const struct mlx90614_optics optics = {emissivity, reflected};
  struct mlx90614_reading reading = {0};
  mlx90614_decode(&mlx90614, &optics, corrected ? lines : NULL, words, zones, &reading);
  values[1] = reading.ta;
  flags[1] = reading.ta_flags;
  for (uint32_t zone = 0; zone < zones; zone++) {
    values[2 * zone] = reading.object[zone];
    flags[2 * zone] = reading.object_flags[zone];
  }
}

int sensors_max3010x_counts(const uint8_t *data, size_t samples, uint32_t leds, int32_t *counts) {
  return (int)max3010x_counts(data, samples, leds, counts);
}

uint16_t sensors_max3010x_decode(uint32_t leds, uint32_t range_na, int32_t full, float contact, const int32_t *counts,
                                 uint8_t interrupts, float *values) {
  const struct max3010x_scale scale = {leds, range_na, full, contact};
  return max3010x_decode(&scale, counts, interrupts, values);
}

int sensors_lis3dh_counts(const uint8_t *data, size_t samples, uint32_t shift, int32_t *counts) {
  return (int)lis3dh_counts(data, samples, shift, counts);
}

uint16_t sensors_lis3dh_decode(uint32_t shift, int32_t mg, int corrected, const int32_t *counts, float *values) {
  const struct lis3dh_scale scale = {shift, mg};
  return lis3dh_decode(&scale, corrected ? &axes : NULL, counts, values);
}

int sensors_sht4x_words(const uint8_t *answer, uint16_t *words) {
  return (int)sht4x_words(answer, words);
}

uint16_t sensors_sht4x_decode(int corrected, const uint16_t *words, float *values) {
  return sht4x_decode(words, corrected ? lines : NULL, values);
}

uint16_t sensors_tmp117_decode(int corrected, uint16_t configuration, uint16_t result, float *value) {
  return tmp117_decode(configuration, result, corrected ? lines : NULL, value);
}

void sensors_repeats_start(uint32_t limit) {
  repeats_begin(&repeats, limit);
}

int sensors_repeats_push(const uint8_t *reading, size_t size) {
  return repeats_push(&repeats, reading, size);
}

int sensors_quality_doubtful(void) {
  return QUALITY_DOUBTFUL;
}
