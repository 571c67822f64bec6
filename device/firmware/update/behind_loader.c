/* The firmware's own slots, where a bootloader started it. */
#include "model_slots.h"
#include "slot_group.h"
#include "trial.h"
#include "update.h"
#include "update_slots.h"
#include "wearable_container.h"

enum { FIRMWARE, MODELS, IMAGES };

static struct {
  struct slots slots;
  struct model_slots models;
  struct slot_group group;
  struct update update;
  struct trial trials[IMAGES];
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
  return trial_is_overdue(&self.trials[FIRMWARE], now_us) || trial_is_overdue(&self.trials[MODELS], now_us);
}

const struct update *update_open(const struct board *board, const struct profile *profile) {
  const struct slot_pair *pair = update_slots();
  const int running = pair != NULL ? running_slot(pair) : SLOTS_NONE;
  if (running == SLOTS_NONE) {
    return NULL;
  }
  slots_open(&self.slots, pair, running);
  trial_begin(&self.trials[FIRMWARE], pair, running, board_now_us(board));
  self.group =
      (struct slot_group){.images = {&self.slots}, .count = 1, .board = board, .sentence = slot_group_sentence};
  self.update = (struct update){.profile = profile, .is_overdue = is_overdue};
  const struct container_host *host = &wearable_container;
  const struct model_place *models = host->target != NULL ? update_model_place() : NULL;
  if (models != NULL) {
    self.update.profile = model_slots_open(&self.models, models, host, profile);
    if (self.models.slots.running != SLOTS_NONE) {
      trial_begin(&self.trials[MODELS], models->pair, self.models.slots.running, board_now_us(board));
    }
    self.update.target = host->target;
    self.update.structures = host->structures;
    self.group.images[MODELS] = &self.models.slots;
    self.group.count = IMAGES;
  }
  self.update.images = slot_group_commands(&self.group);
  return &self.update;
}
