/* Findings of the last hour, kept for a host that lost the line: a ring in memory that a reset does not clear. An entry
   is as docs/wire.md has it, and as command 14 gives it. */
#ifndef KEPT_H
#define KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "findings.h"
#include "wire_table.h"

#define KEPT_US (LIMIT_KEPT_SECONDS * 1000000ULL)
/* Where a ring lies. */
#define KEPT_RETAINED __attribute__((section(".noinit")))

/* What a reset leaves; `check` says whether it is whole. */
struct kept_state {
  uint32_t bundle;  /* whose findings: first four bytes of its image's SHA-256 */
  uint32_t profile; /* and of its profile's */
  uint32_t end;     /* running number that the next finding will have */
  uint32_t count;
  uint32_t start; /* place of the oldest */
  uint32_t used;  /* bytes of all */
  uint32_t check; /* CRC-32 of all this and of the entries */
};

/* Generated for a wearable. */
struct kept_ring {
  struct kept_state *state;
  uint8_t *data;
  uint32_t capacity;
  uint8_t models; /* a bit for each model whose findings are kept */
};

struct kept {
  const struct kept_ring *ring; /* NULL: none are kept */
  bool wanted;                  /* from a start of the stream until a host stops it */
};

/* Begin with what a reset left, where it is whole, of this wearable and not of the future; `ring` may be NULL. */
void kept_open(struct kept *kept, const struct kept_ring *ring, uint32_t bundle, uint32_t profile, uint64_t now_us);

/* Keep a finding; the oldest make room for it, and go after an hour. */
void kept_add(struct kept *kept, const struct finding *finding, bool quantities);

/* A host has ended listening, and had everything. */
void kept_forget(struct kept *kept);

/* Entries from `*first` on, whole ones within `room` bytes; `*first` becomes the number of the first one given.
   Returns how many bytes. */
size_t kept_read(const struct kept *kept, uint32_t *first, uint8_t *to, size_t room);

/* Running number that the next finding will have. */
uint32_t kept_end(const struct kept *kept);

#endif
