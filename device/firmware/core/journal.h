/* Entries of one size in two blocks of flash, written one after another: when one block is full the other is erased and
   takes what comes next. So a block is erased once in many entries, and an entry that a power failure cut short costs
   itself alone; each has a CRC-32 as its last 4 bytes. */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash.h"

#define JOURNAL_BLOCKS 2U

struct journal {
  const struct flash *flash;
  size_t first_block;
  size_t size;    /* of an entry with its CRC-32 */
  size_t stride;  /* bytes from one entry to the next */
  size_t entries; /* in a block; 0 where there is no room for any */
  size_t block;   /* 0 or 1, the one written to */
  size_t next;    /* entry to write next */
  bool problem;   /* the newest entry is not in flash */
};

/* Open one in two blocks below `end_block`, for entries of so many bytes, the CRC-32 among them. */
void journal_open(struct journal *journal, const struct flash *flash, size_t first_block, size_t end_block,
                  size_t size);

/* Read an entry; false where none is whole there. `entry` has room for it. */
bool journal_read(const struct journal *journal, size_t block, size_t number, uint8_t *entry);

/* Write to this block from now on, behind what was ever programmed there. */
void journal_go_on(struct journal *journal, size_t block);

/* Begin the other block where this one is full; whether it was. What the other held is lost. */
bool journal_turn(struct journal *journal);

/* Fill in the CRC-32 of an entry and write it. `entry` has room for a stride. */
void journal_append(struct journal *journal, uint8_t *entry);

#endif
