/* Which alerts are raised or acknowledged, kept over a reset in a journal in flash.

   An entry says it of all alerts of one profile; under another profile their numbers mean something else, and none is
   raised. Written only where it differs from what is there, and at most once in ALERT_STORE_EVERY_US unless a person
   has acknowledged one or the device is about to restart, so that an alert that comes and goes wears nothing out. */
#ifndef ALERT_STORE_H
#define ALERT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal.h"
#include "profile.h"

#define ALERT_STORE_EVERY_US 10000000U

struct alert_store {
  struct journal journal;
  const struct profile *profile;
  uint32_t sequence; /* of the newest entry */
  uint32_t crc;      /* of what it says */
  uint64_t due_us;   /* no further entry before */
};

/* Open the journal in the two blocks from `first_block` on, which must lie below `end_block`, and let the profile's
   alerts stand where they stood. A time later than `now_us` is of a clock that began anew, and counts as `now_us`. */
void alert_store_open(struct alert_store *store, const struct flash *flash, size_t first_block, size_t end_block,
                      const struct profile *profile, uint64_t now_us);

/* Blocks of flash that it uses. */
size_t alert_store_blocks(const struct alert_store *store);

/* Keep where alerts stand, at once or when it is due. Returns whether there is nothing left to keep. */
bool alert_store_keep(struct alert_store *store, uint64_t now_us, bool at_once);

#endif
