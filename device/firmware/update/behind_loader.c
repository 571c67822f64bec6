/* The firmware's own slots, where a bootloader started it. */
#include "slot_group.h"
#include "update.h"
#include "update_slots.h"

/* A host confirms after its self-test; who does not within this time is taken back by the loader. */
#define TRIAL_US 300000000U

static struct {
  struct slots slots;
  struct slot_group group;
  struct update update;
  bool on_trial;
  uint64_t ends_us;
} self;

/* The slot that this very code lies in. */
static int running_slot(const struct slot_pair *pair) {
  const uintptr_t here = (uintptr_t)&update_open;
  for (int slot = 0; slot < SLOTS; slot++) {
    const uintptr_t begin = pair->rules[slot].address;
    if (here >= begin && here - begin < slot_whole(pair, slot).size) {
      return slot;
    }
  }
  return SLOTS_NONE;
}

static bool is_overdue(void *context, uint64_t now_us) {
  (void)context;
  if (!self.on_trial || now_us < self.ends_us) {
    return false;
  }
  const struct flash_span whole = slot_whole(self.slots.pair, self.slots.running);
  const struct trailer trailer = trailer_read(&whole);
  self.on_trial = !trailer_is_confirmed(&trailer);
  return self.on_trial;
}

const struct update *update_open(const struct board *board) {
  const struct slot_pair *pair = update_slots();
  const int running = pair != NULL ? running_slot(pair) : SLOTS_NONE;
  if (running == SLOTS_NONE) {
    return NULL;
  }
  slots_open(&self.slots, pair, running);
  const struct flash_span whole = slot_whole(pair, running);
  const struct trailer trailer = trailer_read(&whole);
  /* One that no trailer says anything of was started because there is nothing better: it has nothing to give way to. */
  self.on_trial = trailer.magic == TRAILER_SET && trailer.copy_done != TRAILER_UNSET && !trailer_is_confirmed(&trailer);
  self.ends_us = board_now_us(board) + TRIAL_US;
  self.group =
      (struct slot_group){.images = {&self.slots}, .count = 1, .board = board, .sentence = slot_group_sentence};
  self.update = (struct update){.images = slot_group_commands(&self.group), .is_overdue = is_overdue};
  return &self.update;
}
