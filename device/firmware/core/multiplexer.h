/* Buses behind multiplexers: the way to a chip is opened before each transaction, and closed before another one is, as
   thermo_device.multiplexer has it.

   A TCA9548A takes the mask of its open channels as one byte and gives it back when read. Chips behind channels of
   different multiplexers may have the same address, so a way that is not used is closed first. After any error nothing
   is taken for granted: the multiplexer may have lost its supply. */
#ifndef MULTIPLEXER_H
#define MULTIPLEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "status.h"

#define WAY_HOPS 2

/* One channel of a multiplexer. */
struct hop {
  uint8_t address;
  uint8_t channel;
};

/* Channels to open, the nearest to the bus first; hops behind `depth` are zero. */
struct way {
  uint8_t depth;
  struct hop hops[WAY_HOPS];
};

/* A multiplexer, and the way to it. */
struct multiplexer {
  struct way way;
  uint8_t address;
};

/* All multiplexers of the bus, by their addresses, and which channels are open. Generated with the profile. */
struct switchboard {
  /* Open a way; OK, or what the bus returns. */
  enum status (*open)(struct switchboard *switchboard, const struct board *board, const struct way *way);
  const struct multiplexer *all;
  uint8_t count;  /* at most 32 */
  uint32_t known; /* a bit a multiplexer: nothing of it is open but what `now` says */
  struct way now;
};

enum status multiplexer_open(struct switchboard *switchboard, const struct board *board, const struct way *way);
/* Something went wrong: take nothing for granted. */
void multiplexer_forget(struct switchboard *switchboard);

#endif
