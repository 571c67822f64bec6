/* What is open, and the shortest way from there to what is wanted. */
#include "multiplexer.h"

#include <string.h>

#define ATTEMPTS 3
/* Silent visits until a multiplexer has no supply: one that was never heard, as many as a transaction has attempts, so
   that a multiplexer which is not there costs no chip its start; and one that was. */
#define UNMET_VISITS 4U
#define LOST_VISITS 32U
#define NOBODY 0U

static bool leads_to(const struct way *way, uint8_t depth, const struct multiplexer *one) {
  return one->way.depth == depth && memcmp(one->way.hops, way->hops, depth * sizeof way->hops[0]) == 0;
}

/* Tell a multiplexer its channels, and have it say them. */
static enum status write_mask(struct switchboard *s, const struct board *board, uint8_t number, uint8_t mask) {
  const uint8_t address = s->all[number].address;
  uint8_t found = (uint8_t)~mask;
  enum status status = board_i2c_transfer(board, address, &mask, 1, NULL, 0);
  if (status == STATUS_OK) {
    s->met |= (uint32_t)(1UL << number);
    s->silent[number] = 0;
    status = board_i2c_transfer(board, address, NULL, 0, &found, 1);
  }
  return status == STATUS_OK && found != mask ? STATUS_BUS : status;
}

/* The same for the hop of a way at this depth. */
static enum status write_hop(struct switchboard *s, const struct board *board, const struct way *way, uint8_t depth,
                             uint8_t mask) {
  for (uint8_t i = 0; i < s->count; i++) {
    if (s->all[i].address == way->hops[depth].address && leads_to(way, depth, &s->all[i])) {
      return write_mask(s, board, i, mask);
    }
  }
  return STATUS_ARGUMENT;
}

/* Whether this visit, at which it did not acknowledge, is one too many for a multiplexer with a supply. */
static bool is_excused(struct switchboard *s, uint8_t number) {
  const uint8_t least = (s->met >> number & 1U) != 0 ? LOST_VISITS : UNMET_VISITS;
  if (s->silent[number] < least) {
    s->silent[number]++;
  }
  return s->silent[number] == least;
}

/* Close all channels, unless it was silent so long that it has no supply. */
static enum status close_all(struct switchboard *s, const struct board *board, uint8_t number) {
  enum status status = STATUS_NACK;
  for (unsigned attempt = 0; attempt < ATTEMPTS && status == STATUS_NACK; attempt++) {
    status = write_mask(s, board, number, 0);
  }
  return status == STATUS_NACK && is_excused(s, number) ? STATUS_OK : status;
}

/* Close multiplexers that nobody knows the state of, once the way to them is open; not the next one to be told. */
static enum status settle(struct switchboard *s, const struct board *board, const struct way *way, uint8_t depth,
                          uint8_t next) {
  for (uint8_t i = 0; i < s->count; i++) {
    const uint32_t bit = 1UL << i;
    if ((s->known & bit) != 0 || !leads_to(way, depth, &s->all[i])) {
      continue;
    }
    if (s->all[i].address != next) {
      const enum status status = close_all(s, board, i);
      if (status != STATUS_OK) {
        return status;
      }
    }
    s->known |= bit;
  }
  return STATUS_OK;
}

static uint8_t hops_shared(const struct way *one, const struct way *other) {
  uint8_t shared = 0;
  while (shared < one->depth && shared < other->depth &&
         memcmp(&one->hops[shared], &other->hops[shared], sizeof one->hops[0]) == 0) {
    shared++;
  }
  return shared;
}

static bool all_known(const struct switchboard *s) {
  return s->known == (s->count < MULTIPLEXERS ? (1UL << s->count) - 1U : UINT32_MAX);
}

enum status multiplexer_open(struct switchboard *s, const struct board *board, const struct way *way) {
  if (all_known(s) && memcmp(&s->now, way, sizeof *way) == 0) {
    return STATUS_OK;
  }
  const struct way before = s->now;
  const uint8_t kept = hops_shared(&before, way);
  enum status status = STATUS_OK;
  memset(&s->now, 0, sizeof s->now);
  for (uint8_t depth = before.depth; depth > kept && status == STATUS_OK; depth--) {
    const uint8_t at = (uint8_t)(depth - 1U);
    if (at != kept || at >= way->depth || way->hops[at].address != before.hops[at].address) {
      status = write_hop(s, board, &before, at, 0);
    }
  }
  for (uint8_t depth = 0; depth < way->depth && status == STATUS_OK; depth++) {
    status = settle(s, board, way, depth, way->hops[depth].address);
    if (status == STATUS_OK && depth >= kept) {
      status = write_hop(s, board, way, depth, (uint8_t)(1U << way->hops[depth].channel));
    }
  }
  if (status == STATUS_OK) {
    status = settle(s, board, way, way->depth, NOBODY);
  }
  if (status == STATUS_OK) {
    s->now = *way;
  }
  return status;
}

void multiplexer_forget(struct switchboard *s) {
  memset(&s->now, 0, sizeof s->now);
  s->known = 0;
}

void multiplexer_start(struct switchboard *s) {
  multiplexer_forget(s);
  s->met = 0;
  memset(s->silent, 0, sizeof s->silent);
}
