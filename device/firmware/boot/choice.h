/* Which slot is started, of what flash says alone; docs/boot.md has every state. Nothing is ever erased here. */
#ifndef CHOICE_H
#define CHOICE_H

#include "slots.h"

enum choice_way {
  CHOICE_NONE,        /* no image verifies */
  CHOICE_CONFIRMED,   /* it stays */
  CHOICE_TRIAL,       /* its first start: unless it is confirmed, the next reset takes it back */
  CHOICE_LAST_RESORT, /* it verifies, but was never confirmed, and there is nothing better: hosts are heard first */
};

struct choice {
  enum choice_way way;
  int slot;
  struct image image;
};

/* The newest image that is confirmed or waits for its first start; where none of these verifies, one that was never
   marked, then one that failed its trial. */
struct choice choice_make(struct slots *slots);

/* Instead of one that cannot be started after all: the image in the other slot where it is confirmed and was not
   withdrawn by that one's security counter, else none. */
struct choice choice_fallback(struct slots *slots, const struct choice *failed);

/* Note the first start before it happens: OK, or STORAGE where flash does not keep it; then nothing would take the
   image back, so it must not be started. */
enum status choice_note(struct slots *slots, const struct choice *choice);

#endif
