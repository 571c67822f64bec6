/* An entry, 24 bytes: u32 number of the constants, u32 fingerprint, 8 bytes identity, u16 kind of entry, u8 sensor, one
   byte of ones, u32 CRC-32. */
#include "sightings.h"

#include <string.h>

#include "bytes.h"

#define ENTRY 24U
#define LONGEST (ENTRY + FLASH_MOST_UNIT)
#define ID_AT 8U
#define KIND_AT 16U
#define SENSOR_AT 18U

enum kind { SEEN = 1, TRUSTED = 2 };

static enum kind kind_of(const uint8_t *entry) {
  return load_le16(entry + KIND_AT) == TRUSTED ? TRUSTED : SEEN;
}

/* The fingerprint that a chip is held to: of the last calibration, or else of the first sight. */
static bool find_trusted(const struct sightings *s, const uint8_t id[SIGHTINGS_ID_BYTES], uint32_t *fingerprint) {
  bool found = false;
  bool trusted = false;
  uint32_t number = 0;
  for (size_t block = 0; block < JOURNAL_BLOCKS; block++) {
    for (size_t i = 0; i < s->journal.entries; i++) {
      uint8_t entry[ENTRY];
      if (!journal_read(&s->journal, block, i, entry) || memcmp(entry + ID_AT, id, SIGHTINGS_ID_BYTES) != 0) {
        continue;
      }
      const bool its_own = kind_of(entry) == TRUSTED;
      const uint32_t its_number = load_le32(entry);
      const bool better = its_own ? !trusted || its_number >= number : !trusted && (!found || its_number < number);
      if (better) {
        found = true;
        trusted = its_own;
        number = its_number;
        *fingerprint = load_le32(entry + 4);
      }
    }
  }
  return found;
}

static void append(struct sightings *s, const struct sighted *sighted, enum kind kind, uint32_t fingerprint) {
  uint8_t entry[LONGEST];
  memset(entry, 0xFF, sizeof entry);
  store_le32(entry, sighted->constants);
  store_le32(entry + 4, fingerprint);
  memcpy(entry + ID_AT, sighted->id, SIGHTINGS_ID_BYTES);
  store_le16(entry + KIND_AT, (uint16_t)kind);
  entry[SENSOR_AT] = sighted->sensor;
  journal_append(&s->journal, entry);
}

/* Keep an entry. Where the block is full the other one is erased, and first takes what the chip at hand is held to. */
static void keep(struct sightings *s, const struct sighted *sighted, enum kind kind) {
  if (journal_turn(&s->journal)) {
    append(s, sighted, TRUSTED, sighted->trusted);
  }
  append(s, sighted, kind, kind == TRUSTED ? sighted->trusted : sighted->fingerprint);
}

void sightings_open(struct sightings *s, const struct flash *flash, size_t blocks_used) {
  memset(s, 0, sizeof *s);
  const size_t end = flash->block_count;
  const size_t first = end > JOURNAL_BLOCKS ? end - JOURNAL_BLOCKS : 0;
  journal_open(&s->journal, flash, first, blocks_used <= first ? end : 0, ENTRY);
  size_t newest = 0;
  for (size_t block = 0; block < JOURNAL_BLOCKS; block++) {
    for (size_t i = 0; i < s->journal.entries; i++) {
      uint8_t entry[ENTRY];
      if (journal_read(&s->journal, block, i, entry) && load_le32(entry) >= s->constants) {
        s->constants = load_le32(entry);
        newest = block;
      }
    }
  }
  journal_go_on(&s->journal, newest);
}

void sightings_recall(const struct sightings *s, struct sighted *sighted, uint8_t sensor) {
  memset(sighted, 0, sizeof *sighted);
  sighted->sensor = sensor;
  for (size_t block = 0; block < JOURNAL_BLOCKS; block++) {
    for (size_t i = 0; i < s->journal.entries; i++) {
      uint8_t entry[ENTRY];
      if (journal_read(&s->journal, block, i, entry) && kind_of(entry) == SEEN && entry[SENSOR_AT] == sensor &&
          load_le32(entry) >= sighted->constants) {
        sighted->any = true;
        sighted->constants = load_le32(entry);
        sighted->fingerprint = load_le32(entry + 4);
        memcpy(sighted->id, entry + ID_AT, SIGHTINGS_ID_BYTES);
      }
    }
  }
}

struct sighting sightings_meet(struct sightings *s, struct sighted *sighted, const uint8_t id[SIGHTINGS_ID_BYTES],
                               uint32_t fingerprint) {
  const bool same_chip = sighted->any && memcmp(id, sighted->id, sizeof sighted->id) == 0;
  const bool same = same_chip && fingerprint == sighted->fingerprint;
  if (!same) {
    sighted->constants = ++s->constants;
  }
  if (!find_trusted(s, id, &sighted->trusted) && !(same_chip && s->journal.entries == 0)) {
    sighted->trusted = fingerprint;
  }
  sighted->any = sighted->met = true;
  sighted->fingerprint = fingerprint;
  memcpy(sighted->id, id, sizeof sighted->id);
  if (!same || s->journal.problem) {
    keep(s, sighted, SEEN);
  }
  return (struct sighting){sighted->constants, fingerprint, sighted->trusted != fingerprint};
}

void sightings_trust(struct sightings *s, struct sighted *sighted) {
  if (sighted->met && sighted->trusted != sighted->fingerprint) {
    sighted->trusted = sighted->fingerprint;
    keep(s, sighted, TRUSTED);
  }
}
