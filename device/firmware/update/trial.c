#include "trial.h"

static struct trailer look(const struct trial *trial) {
  const struct flash_span whole = slot_whole(trial->pair, trial->running);
  return trailer_read(&whole);
}

void trial_begin(struct trial *trial, const struct slot_pair *pair, int running, uint64_t now_us) {
  *trial = (struct trial){.pair = pair, .running = running, .ends_us = now_us + TRIAL_US};
  const struct trailer trailer = look(trial);
  trial->on = trailer.magic == TRAILER_SET && trailer.copy_done != TRAILER_UNSET && !trailer_is_confirmed(&trailer);
}

bool trial_is_overdue(struct trial *trial, uint64_t now_us) {
  if (!trial->on || now_us < trial->ends_us) {
    return false;
  }
  const struct trailer trailer = look(trial);
  trial->on = !trailer_is_confirmed(&trailer);
  return trial->on;
}
