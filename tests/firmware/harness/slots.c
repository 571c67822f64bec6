/* Slots and the loader's choice for ctypes, over a flash that can lose power. */
#include "slots.h"

#include <string.h>

#include "choice.h"
#include "failing_flash.h"
#include "trial.h"

static struct {
  const struct board *board;
  struct slot_pair pair;
  struct slots slots;
  uint8_t key[1][ED25519_KEY_BYTES];
  struct trial trial;
  char reason[160];
} self;

void slots_begin_trial(int running, uint64_t now_us);
int slots_overdue(uint64_t now_us);
int slots_new(size_t block_size, size_t blocks, size_t unit, const uint32_t *address, const uint8_t *key, uint32_t ram,
              uint32_t ram_size);
int slots_verify(int slot, struct image *image);
int slots_choose(struct image *image, int *slot, int note);
void slots_restart(int running);
int slots_take(uint32_t offset, const uint8_t *data, size_t size, int32_t length, const uint8_t *sha256,
               uint32_t *next);
int slots_test(const uint8_t *hash, size_t size, int permanent);
int slots_keep(void);
int slots_clear(void);
int slots_target(void);
int slots_marks(int slot);
int slots_fault(void);
const char *slots_fault_text(int fault);
int slots_ed25519(const uint8_t *key, const uint8_t *message, size_t size, const uint8_t *signature);

int slots_new(size_t block_size, size_t blocks, size_t unit, const uint32_t *address, const uint8_t *key, uint32_t ram,
              uint32_t ram_size) {
  self.board = flash_board(block_size, SLOTS * blocks, unit, unit);
  memcpy(self.key[0], key, sizeof self.key[0]);
  self.pair = (struct slot_pair){.flash = &self.board->flash, .first_block = {0, blocks}, .blocks = blocks};
  for (int slot = 0; slot < SLOTS; slot++) {
    self.pair.rules[slot] = (struct image_rules){.keys = (const uint8_t(*)[ED25519_KEY_BYTES])self.key,
                                                 .key_count = 1,
                                                 .flags = address[slot] != 0 ? IMAGE_ROM_FIXED : 0,
                                                 .address = address[slot],
                                                 .ram = ram,
                                                 .ram_size = ram_size};
  }
  slots_open(&self.slots, &self.pair, SLOTS_NONE);
  return slot_pair_is_usable(&self.pair);
}

int slots_verify(int slot, struct image *image) {
  const struct flash_span place = slot_place(&self.pair, slot);
  return (int)image_verify(&place, &self.pair.rules[slot], image);
}

/* `note`: the first start of an image on trial is noted, as before the jump. */
int slots_choose(struct image *image, int *slot, int note) {
  slots_open(&self.slots, &self.pair, SLOTS_NONE);
  const struct choice choice = choice_make(&self.slots);
  *image = choice.image;
  *slot = choice.slot;
  if (note && choice_note(&self.slots, &choice) != STATUS_OK) {
    return -1;
  }
  return (int)choice.way;
}

void slots_restart(int running) {
  slots_open(&self.slots, &self.pair, running);
}

int slots_take(uint32_t offset, const uint8_t *data, size_t size, int32_t length, const uint8_t *sha256,
               uint32_t *next) {
  const struct slots_first first = {.has_length = length >= 0, .length = (uint32_t)length, .sha256 = sha256};
  struct text reason;
  text_begin(&reason, self.reason, sizeof self.reason);
  return (int)slots_upload(&self.slots, offset, data, size, offset == 0 ? &first : NULL, next, &reason);
}

int slots_test(const uint8_t *hash, size_t size, int permanent) {
  struct text reason;
  text_begin(&reason, self.reason, sizeof self.reason);
  return (int)slots_mark(&self.slots, hash, size, permanent != 0, &reason);
}

int slots_keep(void) {
  return (int)slots_confirm(&self.slots);
}

int slots_clear(void) {
  return (int)slots_erase(&self.slots);
}

int slots_target(void) {
  return slots_free(&self.slots);
}

/* Marks of a trailer: magic, copy_done, image_ok, two bits each. */
int slots_marks(int slot) {
  const struct flash_span whole = slot_whole(&self.pair, slot);
  const struct trailer trailer = trailer_read(&whole);
  return (int)trailer.magic | (int)trailer.copy_done << 2 | (int)trailer.image_ok << 4;
}

int slots_fault(void) {
  return (int)self.slots.fault;
}

const char *slots_fault_text(int fault) {
  return image_fault_text((enum image_fault)fault);
}

int slots_ed25519(const uint8_t *key, const uint8_t *message, size_t size, const uint8_t *signature) {
  return ed25519_holds(key, message, size, signature);
}

void slots_begin_trial(int running, uint64_t now_us) {
  trial_begin(&self.trial, &self.pair, running, now_us);
}

int slots_overdue(uint64_t now_us) {
  return trial_is_overdue(&self.trial, now_us);
}
