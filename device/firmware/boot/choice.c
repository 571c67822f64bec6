#include "choice.h"

#include <string.h>

/* The better one has the higher rank. */
enum rank { RANK_NOTHING, RANK_FAILED, RANK_UNMARKED, RANK_READY };

static enum rank rank_of(const struct trailer *trailer) {
  if (trailer_is_confirmed(trailer) || trailer_is_pending(trailer)) {
    return RANK_READY;
  }
  return trailer->copy_done == TRAILER_UNSET ? RANK_UNMARKED : RANK_FAILED;
}

/* Whether slot 1 is to be started rather than slot 0, of what headers and trailers say. */
static bool second_is_better(const struct slot_state states[SLOTS], const enum rank ranks[SLOTS]) {
  if (ranks[0] != ranks[1]) {
    return ranks[1] > ranks[0];
  }
  const int order = image_version_order(&states[1].image.version, &states[0].image.version);
  return order > 0 ||
         (order == 0 && trailer_is_confirmed(&states[1].trailer) && !trailer_is_confirmed(&states[0].trailer));
}

/* A security counter below that of a confirmed image was taken back from use. */
static bool is_withdrawn(const struct slot_state *state, const struct slot_state *other) {
  return other->fault == IMAGE_GOOD && trailer_is_confirmed(&other->trailer) &&
         state->image.counter < other->image.counter;
}

static enum choice_way way_of(const struct trailer *trailer) {
  return trailer_is_confirmed(trailer) ? CHOICE_CONFIRMED
         : trailer_is_pending(trailer) ? CHOICE_TRIAL
                                       : CHOICE_LAST_RESORT;
}

struct choice choice_make(struct slots *slots) {
  struct slot_state states[SLOTS];
  enum rank ranks[SLOTS];
  for (int slot = 0; slot < SLOTS; slot++) {
    const struct flash_span place = slot_place(slots->pair, slot);
    const struct flash_span whole = slot_whole(slots->pair, slot);
    states[slot].fault = image_open(&place, &slots->pair->rules[slot], &states[slot].image);
    states[slot].trailer = trailer_read(&whole);
    ranks[slot] = states[slot].fault == IMAGE_GOOD ? rank_of(&states[slot].trailer) : RANK_NOTHING;
  }
  int slot = second_is_better(states, ranks) ? 1 : 0;
  if (ranks[slot] != RANK_NOTHING && ranks[1 - slot] != RANK_NOTHING &&
      is_withdrawn(&states[slot], &states[1 - slot]) && slots_look(slots, 1 - slot)->fault == IMAGE_GOOD) {
    slot = 1 - slot;
  }
  for (int tries = 0; tries < SLOTS; tries++, slot = 1 - slot) {
    const struct slot_state *state = &states[slot];
    if (ranks[slot] != RANK_NOTHING && slots_look(slots, slot)->fault == IMAGE_GOOD) {
      return (struct choice){.way = way_of(&state->trailer), .slot = slot, .image = state->image};
    }
  }
  return (struct choice){.way = CHOICE_NONE, .slot = SLOTS_NONE};
}

struct choice choice_fallback(struct slots *slots, const struct choice *failed) {
  const struct choice none = {.way = CHOICE_NONE, .slot = SLOTS_NONE};
  if (failed->way == CHOICE_NONE) {
    return none;
  }
  const struct slot_state *other = slots_look(slots, 1 - failed->slot);
  if (other->fault != IMAGE_GOOD || !trailer_is_confirmed(&other->trailer) ||
      is_withdrawn(other, slots_look(slots, failed->slot))) {
    return none;
  }
  return (struct choice){.way = CHOICE_CONFIRMED, .slot = 1 - failed->slot, .image = other->image};
}

enum status choice_note(struct slots *slots, const struct choice *choice) {
  if (choice->way != CHOICE_TRIAL) {
    return STATUS_OK;
  }
  const struct flash_span whole = slot_whole(slots->pair, choice->slot);
  slots->known[choice->slot] = false;
  return trailer_set_copy_done(&whole);
}
