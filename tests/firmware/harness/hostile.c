/* Hostile bytes under AddressSanitizer. Standard input holds cases: a kind and a size, u32 little-endian, then the
   bytes, which are handed over in a block of exactly that size. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ads1115_ntc.h"
#include "bytes.h"
#include "bytes_in_flash.h"
#include "correction.h"
#include "counts.h"
#include "mlx90640_correction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t at_start(void *context) {
  (void)context;
  return 0;
}

static void try_curves(const struct correction *blob) {
  static const struct board board = {.now_us = at_start};
  static struct counters counters;
  static const struct sensor_context context = {.board = &board, .counters = &counters};
  static const struct thermistor_settings settings = {
      .address = 0x48,
      .channel_count = 2,
      .rate_hz = 2.0F,
      .channels = {{.name = "one", .series_ohm = 1e4F, .supply_v = 3.3F, .curve = {1e4F, 3950.0F}},
                   {.name = "two", .series_ohm = 1e4F, .supply_v = 3.3F, .curve = {1e4F, 3950.0F}}}};
  static struct ads1115_ntc_state state;
  static const struct sensor array = {
      .driver = &ads1115_ntc_driver, .name = "spots", .settings = &settings, .state = &state};
  char sentence[192];
  struct text reason;
  text_begin(&reason, sentence, sizeof sentence);
  array.driver->init(&array, &context);
  if (array.driver->possible(&array, blob)) {
    array.driver->objects(&array, blob, &reason);
    array.driver->correct(&array, blob);
  }
}

static void try_correction(const uint8_t *bytes, size_t size) {
  static float celsius[PIXELS];
  struct correction blob;
  struct mlx90640_correction correction;
  char sentence[192];
  struct text reason;
  text_begin(&reason, sentence, sizeof sentence);
  const struct flash_span data = bytes_in_flash(bytes, size);
  if (correction_open(&data, &blob) != STATUS_OK) {
    return;
  }
  try_curves(&blob);
  if (mlx90640_correction_open(&blob, &correction) != STATUS_OK) {
    if (!correction.identity) {
      abort();
    }
    return;
  }
  mlx90640_correction_apply(&correction, celsius, 30.0F);
  mlx90640_correction_is_implausible(&correction, &reason);
}

static void try_counts(const uint8_t *data, size_t size) {
  static struct counts_encoder encoder;
  uint16_t *ram = malloc(RAM_WORDS * sizeof *ram);
  uint8_t *packed = malloc(COUNTS_MAX_BYTES);
  bool key;
  uint32_t key_index;
  if (ram == NULL || packed == NULL || size < RAM_WORDS * sizeof *ram + 3) {
    abort();
  }
  memcpy(ram, data, RAM_WORDS * sizeof *ram);
  const uint8_t *rest = data + RAM_WORDS * sizeof *ram;
  if (counts_encode(&encoder, ram, load_le16(rest), rest[2], 0, packed, &key, &key_index) > COUNTS_MAX_BYTES) {
    abort();
  }
  free(packed);
  free(ram);
}

int main(void) {
  uint8_t head[8];
  while (fread(head, 1, sizeof head, stdin) == sizeof head) {
    const size_t size = load_le32(head + 4);
    uint8_t *data = malloc(size);
    if (data == NULL || fread(data, 1, size, stdin) != size) {
      return 2;
    }
    switch (load_le32(head)) {
      case 0:
        LLVMFuzzerTestOneInput(data, size);
        break;
      case 1:
        try_correction(data, size);
        break;
      default:
        try_counts(data, size);
    }
    free(data);
  }
  return 0;
}
