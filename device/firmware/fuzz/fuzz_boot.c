/* Any content of both slots, as flash may hold after whatever happened: the loader chooses, then a firmware is
   uploaded, tried and kept. No image is accepted but the two that were signed, byte for byte. */
#include <stdlib.h>
#include <string.h>

#include "boot_images.h"
#include "choice.h"
#include "nor_flash.h"
#include "slots.h"

#define BLOCK 256U
#define SLOT_BLOCKS 3U
#define FLASH_BYTES (SLOTS * SLOT_BLOCKS * BLOCK)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition) {
  if (!condition) {
    abort();
  }
}

/* Whether a slot begins with the image that was signed for it. */
static bool is_genuine(const uint8_t *bytes, int slot) {
  const uint8_t *at = bytes + (size_t)slot * SLOT_BLOCKS * BLOCK;
  return slot == 0 ? memcmp(at, boot_old, sizeof boot_old) == 0 : memcmp(at, boot_new, sizeof boot_new) == 0;
}

static void look(struct slots *slots, const uint8_t *bytes) {
  for (int slot = 0; slot < SLOTS; slot++) {
    demand((slots_look(slots, slot)->fault == IMAGE_GOOD) == is_genuine(bytes, slot));
  }
}

static void update(struct slots *slots, const uint8_t *bytes) {
  const struct slots_first first = {.has_length = true, .length = sizeof boot_new, .sha256 = bytes};
  char sentence[64];
  struct text reason;
  uint32_t at = 0;
  text_begin(&reason, sentence, sizeof sentence);
  enum slots_refusal refusal = SLOTS_OK;
  for (unsigned part = 0; refusal == SLOTS_OK && at < sizeof boot_new && part < 16; part++) {
    const size_t left = sizeof boot_new - at;
    refusal = slots_upload(slots, at, boot_new + at, left < 64 ? left : 64, at == 0 ? &first : NULL, &at, &reason);
  }
  if (refusal == SLOTS_OK) {
    (void)slots_mark(slots, slots->state[1].image.hash, IMAGE_HASH_BYTES, false, &reason);
  }
  (void)slots_confirm(slots);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t bytes[FLASH_BYTES];
  static struct slots slots;
  struct nor_flash nor = {
      .bytes = bytes, .read_size = 1, .prog_size = 8, .block_size = BLOCK, .block_count = SLOTS * SLOT_BLOCKS};
  const struct flash flash = nor_flash(&nor);
  struct slot_pair pair = {.flash = &flash, .first_block = {0, SLOT_BLOCKS}, .blocks = SLOT_BLOCKS};
  static const uint32_t addresses[SLOTS] = {0x10010000U, 0x10050000U};
  for (int slot = 0; slot < SLOTS; slot++) {
    pair.rules[slot] = (struct image_rules){.keys = (const uint8_t(*)[ED25519_KEY_BYTES])boot_key,
                                            .key_count = 1,
                                            .flags = IMAGE_ROM_FIXED,
                                            .address = addresses[slot],
                                            .ram = 0x20000000U,
                                            .ram_size = 0x40000U};
  }
  memset(bytes, 0xFF, sizeof bytes);
  memcpy(bytes, data, size < sizeof bytes ? size : sizeof bytes);
  slots_open(&slots, &pair, SLOTS_NONE);
  look(&slots, bytes);
  const struct choice choice = choice_make(&slots);
  demand((choice.way == CHOICE_NONE) == !(is_genuine(bytes, 0) || is_genuine(bytes, 1)));
  demand(choice.way == CHOICE_NONE || is_genuine(bytes, choice.slot));
  (void)choice_note(&slots, &choice);
  demand(choice.way == CHOICE_NONE || is_genuine(bytes, choice.slot));
  slots_open(&slots, &pair, choice.slot);
  update(&slots, bytes);
  demand(choice.way == CHOICE_NONE || is_genuine(bytes, choice.slot)); /* what runs is never written */
  slots_open(&slots, &pair, SLOTS_NONE);
  look(&slots, bytes);
  return 0;
}
