/* Buses behind multiplexers: the way to a chip is opened before each transaction, and closed before another one is, as
   thermo_device.multiplexer has it.

   A TCA9548A takes the mask of its open channels as one byte and gives it back when read. Chips behind channels of
   different multiplexers may have the same address, so a way that is not used is closed first. After any error nothing
   is taken for granted: the multiplexer may have lost its supply.

   A multiplexer that does not acknowledge while it is to be closed may have a channel open all the same, so nothing is
   asked through another one: the transaction fails, and the next one tries again. Without a supply it would block the
   chips of all others for good. Hence after so many failures in a row it is taken to have none, and to be closed by
   that, until it acknowledges anything: 4 where it never did since the start, and 32 where it did. */
#ifndef MULTIPLEXER_H
#define MULTIPLEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "status.h"

#define WAY_HOPS 2
#define MULTIPLEXERS 32 /* at most */

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
  uint8_t count;                /* at most MULTIPLEXERS */
  uint32_t known;               /* a bit a multiplexer: nothing of it is open but what `now` says */
  uint32_t met;                 /* a bit a multiplexer: it acknowledged since the start */
  uint8_t silent[MULTIPLEXERS]; /* visits in a row at which it did not acknowledge */
  struct way now;
};

/* Nothing was heard of any multiplexer yet. */
void multiplexer_start(struct switchboard *switchboard);

enum status multiplexer_open(struct switchboard *switchboard, const struct board *board, const struct way *way);
/* Something went wrong: take nothing for granted. */
void multiplexer_forget(struct switchboard *switchboard);

#endif
