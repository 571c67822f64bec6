/* Something kept in flash: the current one and the one before it, whole whatever moment power fails at.

   Three areas of flash: current, previous, and one that a new one is written to while it comes in. One program of
   a unit at the area's end makes it the current one, the current one the previous, and the previous one's area free for
   the next. */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash.h"
#include "status.h"

#define STORE_AREAS 3

/* What is kept. */
struct store_kind {
  size_t least, most; /* bytes */
  /* Whether these bytes are one, in all that does not depend on anything else. */
  bool (*holds)(const void *context, const struct flash_span *data);
  const void *context;
};

enum store_slot { STORE_CURRENT, STORE_PREVIOUS };

struct store {
  const struct flash *flash;
  const struct store_kind *kind;
  size_t first_block;
  size_t unit;                      /* bytes of the word at an area's end, and of one program */
  size_t area_blocks;               /* 0 where the board's flash is too small */
  int8_t slots[2];                  /* area by enum store_slot; -1 where it is empty */
  bool damaged;                     /* the newest one stored fails its checks, so an older one or none is in use */
  uint16_t sequence;                /* newest in flash */
  int8_t incoming;                  /* area that is written; -1 where none is */
  size_t length;                    /* of the one coming in */
  size_t offset;                    /* its first byte that is still wanted */
  size_t erased_blocks;             /* of the area that is written */
  uint8_t pending[FLASH_MOST_UNIT]; /* its last bytes, too few to program */
};

/* Find what flash holds from a block on, at most up to `end_block`. Changes nothing in it. Both `kind` and what it
   points to have to stay. */
void store_open(struct store *store, const struct flash *flash, const struct store_kind *kind, size_t first_block,
                size_t end_block);

/* Blocks of flash that it uses. */
size_t store_blocks(const struct store *store);

/* One that is stored; of size 0 where the slot is empty. */
struct flash_span store_get(const struct store *store, enum store_slot slot);

/* Take a part of a new one of `length` bytes; offset 0 begins anew. What is stored stays as it is.
   Returns OK; DAMAGED where none has such a length; ARGUMENT where the part does not continue the one before
   or reaches beyond the end; STORAGE where flash does not keep it. */
enum status store_write(struct store *store, size_t offset, size_t length, const uint8_t *data, size_t size);
/* Write a whole one and make it current; as store_write and store_commit. */
enum status store_put(struct store *store, const uint8_t *data, size_t size);
/* Whether all parts have come. */
bool store_complete(const struct store *store);
/* The one that came in, once all parts have; of size 0 before. */
struct flash_span store_incoming(const struct store *store);
/* Verify it and make it current: OK; EMPTY where parts are missing; DAMAGED; STORAGE. Where it fails, what was stored
   stays. */
enum status store_commit(struct store *store);
/* Forget the one that came in. */
void store_abandon(struct store *store);

/* Exchange current and previous. Returns OK; EMPTY where there is no previous one; STORAGE. */
enum status store_rollback(struct store *store);

#endif
