/* What a bootloader that started the firmware lets a host do: exchange the firmware itself. */
#ifndef UPDATE_H
#define UPDATE_H

#include <stdint.h>

#include "board.h"
#include "smp.h"

struct profile;

struct update {
  const struct profile *profile; /* that runs: the firmware's, or that of a container in a slot */
  const char *target;            /* of networks that a container may bring; NULL where none may come */
  uint32_t structures;           /* that it has to be made for */
  struct smp_group images;       /* the image group over the slots, in place of that of a compiled-in bundle */
  void *context;                 /* for `is_overdue` */
  /* Whether the firmware or a container, which runs on trial, was not confirmed in its time and has to give way. */
  bool (*is_overdue)(void *context, uint64_t now_us);
};

/* What the board's bootloader offers; NULL where none started this firmware. */
const struct update *update_open(const struct board *board, const struct profile *profile);

#endif
