/* SMP group 1, images, over slots: state, upload, test, confirm, erase, slot info. Unlike where images are swapped,
   slots have their own numbers: the one that runs is told by "active", the one that takes an upload by
   "upload_image_id". */
#ifndef SLOT_GROUP_H
#define SLOT_GROUP_H

#include "board.h"
#include "slots.h"
#include "smp.h"

#define SLOT_GROUP_IMAGES 2

struct slot_group {
  struct slots *images[SLOT_GROUP_IMAGES]; /* by image number */
  size_t count;
  size_t uploading;          /* image that an upload began of last: later parts do not name it */
  const struct board *board; /* whose watchdog is fed before an image is verified */
  /* slot_group_sentence; NULL where there is no room for sentences and the code has to do. */
  const char *(*sentence)(enum slots_refusal refusal, enum image_fault fault);
};

/* What a refusal says to people. */
const char *slot_group_sentence(enum slots_refusal refusal, enum image_fault fault);

/* The group for an SMP server; `group` and what it points to must stay. */
struct smp_group slot_group_commands(struct slot_group *group);

#endif
