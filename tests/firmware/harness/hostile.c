/* Hostile bytes under AddressSanitizer. Standard input holds cases: a kind and a size, u32 little-endian, then the
   bytes, which are handed over in a block of exactly that size. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ads1115_ntc.h"
#include "bytes.h"
#include "correction.h"
#include "counts.h"
#include "lis3dh.h"
#include "mlx90614.h"
#include "mlx90632.h"
#include "mlx90640.h"
#include "mlx90640_correction.h"
#include "sht4x.h"
#include "tmp117.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct thermistor_settings two_ntcs = {.channel_count = 2};
static union {
  struct ads1115_ntc_state ntc;
  struct lis3dh_state lis3dh;
  struct mlx90614_state mlx90614;
  struct mlx90632_state mlx90632;
  struct mlx90640_state mlx90640;
  struct sht4x_state sht4x;
  struct tmp117_state tmp117;
} state;

static const struct sensor_driver *const drivers[] = {&mlx90640_driver, &ads1115_ntc_driver, &mlx90632_driver,
                                                      &mlx90614_driver, &tmp117_driver,      &sht4x_driver,
                                                      &lis3dh_driver};

static void try_pixels(const struct correction *correction) {
  static float celsius[PIXELS];
  struct mlx90640_correction opened;
  if (mlx90640_correction_open(correction, &opened) != STATUS_OK && !opened.identity) {
    abort();
  }
  mlx90640_correction_apply(&opened, celsius, 30.0F);
}

/* Whatever kind a body says it is of, every kind's driver may be asked about it. */
static void try_correction(const uint8_t *blob, size_t size) {
  struct correction correction;
  char sentence[192];
  struct text text;
  if (correction_open(blob, size, &correction) != STATUS_OK) {
    return;
  }
  try_pixels(&correction);
  for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++) {
    const struct sensor sensor = {.driver = drivers[i], .name = "s", .settings = &two_ntcs, .state = &state};
    memset(&state, 0, sizeof state);
    if (drivers[i] == &ads1115_ntc_driver) {
      state.ntc.array.settings = &two_ntcs;
    }
    text_begin(&text, sentence, sizeof sentence);
    if (drivers[i]->possible(&sensor, &correction)) {
      if (drivers[i]->objects != NULL) {
        (void)drivers[i]->objects(&sensor, &correction, &text);
      }
      drivers[i]->correct(&sensor, &correction);
      (void)drivers[i]->corrected(&sensor);
    }
  }
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
