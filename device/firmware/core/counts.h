/* Lossless packing of one subpage's counts, as docs/wire.md ("Packed counts") describes it. */
#ifndef COUNTS_H
#define COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "subpage.h"

#define COUNTS_MAX_BYTES (2 + 2 * (OWN_PIXELS + AUXILIARY_WORDS))
#define COUNTS_KEY_INTERVAL 64 /* where nobody asks for another */

/* The subpage that later ones of the same number refer to. */
struct counts_key {
  bool valid;
  uint16_t control;
  uint16_t since; /* subpages since then, itself included */
  uint32_t index;
  uint16_t pixels[OWN_PIXELS];
  uint16_t auxiliary[AUXILIARY_WORDS];
};

/* Packs the subpages of one sensor, in order. Start it with counts_restart(encoder, COUNTS_KEY_INTERVAL). */
struct counts_encoder {
  uint16_t key_interval;
  struct counts_key keys[2];
};

/* Make the next subpage of either number a key frame, and every `key_interval`-th one of the same number after it; 0
   keeps the interval. */
void counts_restart(struct counts_encoder *encoder, uint16_t key_interval);

/* Pack one subpage (`number` 0 or 1, of running number `index`) and return the length; 0 where there is no such
   subpage. `key` says whether it can be unpacked by itself, `key_index` which subpage it refers to. Uses 1 kB of stack.
 */
size_t counts_encode(struct counts_encoder *encoder, const uint16_t ram[RAM_WORDS], uint16_t control, uint8_t number,
                     uint32_t index, uint8_t packed[COUNTS_MAX_BYTES], bool *key, uint32_t *key_index);

#endif
