/* States and what leads from one to the other: docs/boot.md. */
#include "loader.h"

#include "choice.h"
#include "listener.h"

/* How long hosts are heard before what may fail is started: after a watchdog's reset of an image that is confirmed, and
   where no image is known to be well. Who says nothing in that time is not there. */
#define AFTER_WATCHDOG_US 3000000U
#define LAST_RESORT_US 10000000U

static struct listener listener;

static _Noreturn void start_slot(const struct board *board, const struct slot_pair *pair, const struct choice *choice,
                                 loader_start start) {
  board_watchdog_feed(board); /* from here on the firmware has to */
  start(pair->rules[choice->slot].address + choice->image.header_size);
  board_reset(board);
  for (;;) {
  }
}

/* How long to listen before the choice is started. */
static uint64_t patience_us(const struct board *board, const struct choice *choice, enum status noted) {
  if (choice->way == CHOICE_NONE) {
    return LISTENER_FOR_EVER;
  }
  if (choice->way == CHOICE_LAST_RESORT || noted != STATUS_OK) {
    return LAST_RESORT_US;
  }
  return choice->way == CHOICE_CONFIRMED && board->reset_cause == RESET_WATCHDOG ? AFTER_WATCHDOG_US : 0;
}

/* Where the first start of an image cannot be noted, nothing would take it back: what is kept is started instead. */
static struct choice choose(struct slots *slots, enum status *noted) {
  struct choice choice = choice_make(slots);
  *noted = choice_note(slots, &choice);
  if (*noted != STATUS_OK) {
    const struct choice other = choice_fallback(slots, &choice);
    if (other.way != CHOICE_NONE) {
      choice = other;
      *noted = STATUS_OK;
    }
  }
  return choice;
}

_Noreturn void loader_run(const struct board *board, const struct slot_pair *pair, loader_start start) {
  static struct slots slots;
  listener_open(&listener, board, pair != NULL ? &slots : NULL);
  if (pair == NULL) {
    listener_listen(&listener, LISTENER_FOR_EVER);
  }
  for (;;) {
    enum status noted;
    slots_open(&slots, pair, SLOTS_NONE);
    board_watchdog_feed(board);
    const struct choice choice = choose(&slots, &noted);
    const uint64_t patience = patience_us(board, &choice, noted);
    if (patience == 0 || !listener_listen(&listener, patience)) {
      start_slot(board, pair, &choice, start);
    }
  }
}
