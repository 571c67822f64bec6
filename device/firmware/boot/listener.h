/* The loader's own ear on the serial line: echo, reset and the image group, so that a host can bring in a firmware. */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "framing.h"
#include "slot_group.h"
#include "smp.h"

#define LISTENER_FOR_EVER UINT64_MAX
#define LISTENER_GROUPS 2

struct listener {
  const struct board *board;
  struct framing_receiver receiver;
  struct smp_server server;
  struct smp_group groups[LISTENER_GROUPS];
  struct smp_os os;
  struct slot_group images;
  uint8_t answer[SMP_BUFFER_BYTES];
  bool reset_wanted;
};

/* `slots` is NULL where there are none: then the image group is left out. */
void listener_open(struct listener *listener, const struct board *board, struct slots *slots);

/* Hear hosts for so long, microseconds, and after each message for a minute more. Returns whether one came. Where a
   host asks for a reset, it does not return. */
bool listener_listen(struct listener *listener, uint64_t patience_us);

#endif
