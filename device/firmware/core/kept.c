/* Entries lie one after the other in a ring of bytes, around its end where they must. */
#include "kept.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"

#define HEAD_BYTES 12U
#define QUANTITIES 0x80U
#define ENTRY_BYTES (HEAD_BYTES + 4U * LIMIT_OUTPUTS)

static void copy_out(const struct kept_ring *ring, uint32_t at, uint8_t *to, uint32_t size) {
  const uint32_t tail = ring->capacity - at < size ? ring->capacity - at : size;
  memcpy(to, ring->data + at, tail);
  memcpy(to + tail, ring->data, size - tail);
}

static void copy_in(const struct kept_ring *ring, uint32_t at, const uint8_t *from, uint32_t size) {
  const uint32_t tail = ring->capacity - at < size ? ring->capacity - at : size;
  memcpy(ring->data + at, from, tail);
  memcpy(ring->data, from + tail, size - tail);
}

static uint32_t further(const struct kept_ring *ring, uint32_t at, uint32_t by) {
  return (at + by) % ring->capacity;
}

static uint32_t entry_size(const uint8_t head[HEAD_BYTES]) {
  return HEAD_BYTES + (head[1] & ~QUANTITIES & 0xFFU) * ((head[1] & QUANTITIES) != 0 ? 4U : 2U);
}

static uint32_t check_of(const struct kept_ring *ring) {
  const struct kept_state *state = ring->state;
  const uint32_t tail = ring->capacity - state->start < state->used ? ring->capacity - state->start : state->used;
  uint32_t crc = crc32_update(0, state, offsetof(struct kept_state, check));
  crc = crc32_update(crc, ring->data + state->start, tail);
  return crc32_update(crc, ring->data, state->used - tail);
}

static void drop_oldest(const struct kept_ring *ring) {
  struct kept_state *state = ring->state;
  uint8_t head[HEAD_BYTES];
  copy_out(ring, state->start, head, HEAD_BYTES);
  const uint32_t size = entry_size(head);
  state->start = further(ring, state->start, size);
  state->used -= size;
  state->count--;
}

static uint64_t oldest_us(const struct kept_ring *ring) {
  uint8_t head[HEAD_BYTES];
  copy_out(ring, ring->state->start, head, HEAD_BYTES);
  return load_le64(head + 4);
}

/* Whether the entries are as many and as long as the state says, and none is later than now. */
static bool is_sound(const struct kept_ring *ring, uint64_t now_us) {
  const struct kept_state *state = ring->state;
  uint32_t at = 0;
  uint32_t count = 0;
  while (at < state->used) {
    uint8_t head[HEAD_BYTES];
    if (state->used - at < HEAD_BYTES) {
      return false;
    }
    copy_out(ring, further(ring, state->start, at), head, HEAD_BYTES);
    if (load_le64(head + 4) > now_us) {
      return false;
    }
    at += entry_size(head);
    count++;
  }
  return at == state->used && count == state->count;
}

void kept_open(struct kept *kept, const struct kept_ring *ring, uint32_t bundle, uint32_t profile, uint64_t now_us) {
  kept->ring = ring;
  kept->wanted = false;
  if (ring == NULL) {
    return;
  }
  struct kept_state *state = ring->state;
  const bool whole = state->start < ring->capacity && state->used <= ring->capacity && state->bundle == bundle &&
                     state->profile == profile && state->check == check_of(ring) && is_sound(ring, now_us);
  if (!whole) {
    *state = (struct kept_state){.bundle = bundle, .profile = profile};
    state->check = check_of(ring);
  }
}

void kept_add(struct kept *kept, const struct finding *finding, bool quantities) {
  const struct kept_ring *ring = kept->ring;
  if (ring == NULL || !kept->wanted || (ring->models >> finding->model & 1U) == 0) {
    return;
  }
  struct kept_state *state = ring->state;
  uint8_t entry[ENTRY_BYTES];
  entry[0] = finding->model;
  entry[1] = (uint8_t)(finding->count | (quantities && finding->count > 0 ? QUANTITIES : 0U));
  store_le16(entry + 2, finding->flags);
  store_le64(entry + 4, (uint64_t)finding->time_us);
  for (uint32_t i = 0; i < finding->count; i++) {
    if (quantities) {
      uint32_t bits;
      memcpy(&bits, &finding->values[i], sizeof bits);
      store_le32(entry + HEAD_BYTES + 4U * i, bits);
    } else {
      store_le16(entry + HEAD_BYTES + 2U * i, finding_steps(finding->values[i]));
    }
  }
  const uint32_t size = entry_size(entry);
  if (size > ring->capacity) {
    return;
  }
  while (state->count > 0 &&
         (state->used + size > ring->capacity || oldest_us(ring) + KEPT_US < (uint64_t)finding->time_us)) {
    drop_oldest(ring);
  }
  copy_in(ring, further(ring, state->start, state->used), entry, size);
  state->used += size;
  state->count++;
  state->end++;
  state->check = check_of(ring);
}

void kept_forget(struct kept *kept) {
  kept->wanted = false;
  if (kept->ring != NULL) {
    struct kept_state *state = kept->ring->state;
    state->count = state->used = 0;
    state->check = check_of(kept->ring);
  }
}

size_t kept_read(const struct kept *kept, uint32_t *first, uint8_t *to, size_t room) {
  if (kept->ring == NULL) {
    *first = 0;
    return 0;
  }
  const struct kept_ring *ring = kept->ring;
  const struct kept_state *state = ring->state;
  const uint32_t oldest = state->end - state->count;
  const uint32_t wanted = *first < oldest ? oldest : *first < state->end ? *first : state->end;
  *first = wanted;
  uint32_t at = 0;
  size_t given = 0;
  for (uint32_t number = oldest; number < state->end; number++) {
    uint8_t head[HEAD_BYTES];
    copy_out(ring, further(ring, state->start, at), head, HEAD_BYTES);
    const uint32_t size = entry_size(head);
    if (number >= wanted) {
      if (given + size > room) {
        break;
      }
      copy_out(ring, further(ring, state->start, at), to + given, size);
      given += size;
    }
    at += size;
  }
  return given;
}

uint32_t kept_end(const struct kept *kept) {
  return kept->ring == NULL ? 0 : kept->ring->state->end;
}
