/* An entry: u32 sequence, the first 8 bytes of the profile's SHA-256; of each alert u16 state, u16 flags, f32 value,
   u64 time (zeros unless it is raised or acknowledged); u32 CRC-32. */
#include "alert_store.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"
#include "float32.h"

#define PROFILE_AT 4U
#define PROFILE_BYTES 8U
#define ALERTS_AT (PROFILE_AT + PROFILE_BYTES)
#define ALERT_BYTES 16U
#define CRC_BYTES 4U
#define LONGEST (ALERTS_AT + ALERT_BYTES * LIMIT_ALERTS + CRC_BYTES + FLASH_MOST_UNIT)

static bool stands(uint32_t state) {
  return state == ALERT_STATE_RAISED || state == ALERT_STATE_ACKNOWLEDGED;
}

static size_t said_bytes(const struct alert_store *store) {
  return PROFILE_BYTES + ALERT_BYTES * store->profile->alert_count;
}

/* What an entry says, without its sequence. */
static uint32_t write_entry(const struct alert_store *store, uint8_t *entry) {
  const struct profile *profile = store->profile;
  memset(entry, 0, LONGEST);
  memcpy(entry + PROFILE_AT, profile->cbor_sha256, PROFILE_BYTES);
  for (uint8_t i = 0; i < profile->alert_count; i++) {
    const struct alert *alert = &profile->alert_states[i];
    uint8_t *const at = entry + ALERTS_AT + ALERT_BYTES * i;
    if (stands(alert->state)) {
      store_le16(at, (uint16_t)alert->state);
      store_le16(at + 2, alert->flags);
      store_le32(at + 4, (uint32_t)float32_bits(alert->value));
      store_le64(at + 8, (uint64_t)alert->time_us);
    }
  }
  return crc32_update(0, entry + PROFILE_AT, said_bytes(store));
}

static void read_entry(const struct alert_store *store, const uint8_t *entry, uint64_t now_us) {
  const struct profile *profile = store->profile;
  if (memcmp(entry + PROFILE_AT, profile->cbor_sha256, PROFILE_BYTES) != 0) {
    return;
  }
  for (uint8_t i = 0; i < profile->alert_count; i++) {
    const uint8_t *const at = entry + ALERTS_AT + ALERT_BYTES * i;
    const uint64_t time_us = load_le64(at + 8);
    if (stands(load_le16(at))) {
      profile->alert_states[i] = (struct alert){.state = (enum alert_state)load_le16(at),
                                                .flags = load_le16(at + 2),
                                                .value = float32_of_bits((int32_t)load_le32(at + 4)),
                                                .time_us = (int64_t)(time_us < now_us ? time_us : now_us)};
    }
  }
}

/* Find the newest entry; false where there is none. */
static bool find_newest(struct alert_store *store, uint8_t *newest) {
  bool any = false;
  size_t newest_block = 0;
  for (size_t block = 0; block < JOURNAL_BLOCKS; block++) {
    for (size_t i = 0; i < store->journal.entries; i++) {
      uint8_t entry[LONGEST];
      if (journal_read(&store->journal, block, i, entry) && (!any || load_le32(entry) > store->sequence)) {
        any = true;
        newest_block = block;
        store->sequence = load_le32(entry);
        memcpy(newest, entry, store->journal.size);
      }
    }
  }
  journal_go_on(&store->journal, newest_block);
  return any;
}

void alert_store_open(struct alert_store *store, const struct flash *flash, size_t first_block, size_t end_block,
                      const struct profile *profile, uint64_t now_us) {
  uint8_t newest[LONGEST];
  memset(store, 0, sizeof *store);
  store->profile = profile;
  journal_open(&store->journal, flash, first_block, profile->alert_count > 0 ? end_block : 0,
               PROFILE_AT + said_bytes(store) + CRC_BYTES);
  store->crc = write_entry(store, newest); /* none stands where flash says nothing */
  if (find_newest(store, newest)) {
    store->crc = crc32_update(0, newest + PROFILE_AT, said_bytes(store));
    read_entry(store, newest, now_us);
  }
}

size_t alert_store_blocks(const struct alert_store *store) {
  return store->journal.entries > 0 ? JOURNAL_BLOCKS : 0;
}

bool alert_store_keep(struct alert_store *store, uint64_t now_us, bool at_once) {
  uint8_t entry[LONGEST];
  if (store->journal.entries == 0) {
    return true;
  }
  if (!at_once && now_us < store->due_us) {
    return false;
  }
  const uint32_t crc = write_entry(store, entry);
  if (crc == store->crc && !store->journal.problem) {
    return true;
  }
  store_le32(entry, ++store->sequence);
  (void)journal_turn(&store->journal);
  journal_append(&store->journal, entry);
  store->crc = crc;
  store->due_us = now_us + ALERT_STORE_EVERY_US;
  return !store->journal.problem;
}
