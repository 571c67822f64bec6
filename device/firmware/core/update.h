/* What a bootloader that started the firmware lets a host do: exchange the firmware itself. */
#ifndef UPDATE_H
#define UPDATE_H

#include <stdint.h>

#include "board.h"
#include "smp.h"

struct update {
  struct smp_group images; /* the image group over the slots, in place of that of a compiled-in bundle */
  void *context;           /* for `is_overdue` */
  /* Whether this firmware, which runs on trial, was not confirmed in its time and has to give way. */
  bool (*is_overdue)(void *context, uint64_t now_us);
};

struct profile;

/* What the board's bootloader offers; NULL where none started this firmware. Networks of a container that a slot holds
   take the places of the profile's. */
const struct update *update_open(const struct board *board, const struct profile *profile);

#endif
