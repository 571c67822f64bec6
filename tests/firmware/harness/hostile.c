/* Hostile bytes under AddressSanitizer. Standard input holds cases: a kind and a size, u32 little-endian, then the
   bytes, which are handed over in a block of exactly that size. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "correction.h"
#include "counts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_correction(const uint8_t *blob, size_t size) {
  static float celsius[PIXELS];
  struct correction correction;
  struct thermistor_curve curve;
  if (correction_open(blob, size, &correction) != STATUS_OK && !correction_is_identity(&correction)) {
    abort();
  }
  correction_apply(&correction, celsius, 30.0F);
  for (size_t channel = 0; channel < 20; channel++) {
    correction_curve(&correction, channel, &curve);
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
