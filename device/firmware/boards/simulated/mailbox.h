/* I2C transactions through the mailbox that a simulated board shares with thermo-sim. */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stddef.h>
#include <stdint.h>

#include "shared_memory.h"
#include "status.h"

/* What the mailbox needs of a board. */
struct mailbox_port {
  volatile struct mailbox *mailbox;
  void *context; /* given to each function */
  uint64_t (*now_us)(void *context);
  void (*ring)(void *context); /* tell thermo-sim that a request waits */
  /* Sleep until thermo-sim rings or until that time; may return early. */
  void (*wait_until_us)(void *context, uint64_t time_us);
};

enum status mailbox_transfer(const struct mailbox_port *port, uint8_t address, const uint8_t *write, size_t write_size,
                             uint8_t *read, size_t read_size);
void mailbox_recover(const struct mailbox_port *port);

#endif
