/* An entry, 24 bytes: u32 number of the constants, u32 fingerprint, 8 bytes identity, u16 kind of entry, u8 sensor, one
   byte of ones, u32 CRC-32 of what is before it. One that a power failure cut short fails its CRC and is passed over.
 */
#include "sightings.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"

#define ENTRY 24U
#define LONGEST (ENTRY + FLASH_MOST_UNIT)
#define BODY 20U
#define ID_AT 8U
#define KIND_AT 16U
#define SENSOR_AT 18U

enum kind { SEEN = 1, TRUSTED = 2 };

static size_t entry_at(const struct sightings *s, size_t block, size_t entry) {
  return (s->first_block + block) * s->flash->block_size + entry * s->stride;
}

static void read_entry(const struct sightings *s, size_t block, size_t number, uint8_t entry[ENTRY]) {
  flash_read(s->flash, entry_at(s, block, number), entry, ENTRY);
}

/* Whether nothing was programmed at an entry of the block that is written to. */
static bool is_blank(const struct sightings *s, size_t number) {
  uint8_t entry[LONGEST];
  flash_read(s->flash, entry_at(s, s->block, number), entry, s->stride);
  bool blank = true;
  for (size_t i = 0; i < s->stride; i++) {
    blank = blank && entry[i] == 0xFF;
  }
  return blank;
}

static bool holds(const uint8_t *entry) {
  return load_le32(entry + BODY) == crc32_update(0, entry, BODY);
}

static enum kind kind_of(const uint8_t *entry) {
  return load_le16(entry + KIND_AT) == TRUSTED ? TRUSTED : SEEN;
}

/* The fingerprint that a chip is held to: of the last calibration, or else of the first sight. */
static bool find_trusted(const struct sightings *s, const uint8_t id[SIGHTINGS_ID_BYTES], uint32_t *fingerprint) {
  bool found = false;
  bool trusted = false;
  uint32_t number = 0;
  for (size_t block = 0; block < SIGHTINGS_BLOCKS; block++) {
    for (size_t i = 0; i < s->entries; i++) {
      uint8_t entry[ENTRY];
      read_entry(s, block, i, entry);
      if (!holds(entry) || memcmp(entry + ID_AT, id, SIGHTINGS_ID_BYTES) != 0) {
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
  store_le32(entry + BODY, crc32_update(0, entry, BODY));
  s->problem = flash_program(s->flash, entry_at(s, s->block, s->next), entry, s->stride) != STATUS_OK;
  s->next++;
}

/* Keep an entry. Where the block is full the other one is erased, and first takes what the chip at hand is held to. */
static void keep(struct sightings *s, const struct sighted *sighted, enum kind kind) {
  if (s->entries == 0) {
    return;
  }
  if (s->next == s->entries) {
    if (s->flash->erase(s->flash->context, s->first_block + 1U - s->block) != STATUS_OK) {
      s->problem = true;
      return;
    }
    s->block = 1U - s->block;
    s->next = 0;
    append(s, sighted, TRUSTED, sighted->trusted);
  }
  append(s, sighted, kind, kind == TRUSTED ? sighted->trusted : sighted->fingerprint);
}

void sightings_open(struct sightings *s, const struct flash *flash, size_t blocks_used) {
  memset(s, 0, sizeof *s);
  s->flash = flash;
  if (!flash_is_usable(flash) || flash->block_count < blocks_used + SIGHTINGS_BLOCKS) {
    return;
  }
  s->stride = flash_programmed_size(flash, ENTRY);
  if (flash->block_size < 4U * s->stride) {
    return;
  }
  s->first_block = flash->block_count - SIGHTINGS_BLOCKS;
  s->entries = flash->block_size / s->stride;
  for (size_t block = 0; block < SIGHTINGS_BLOCKS; block++) {
    for (size_t i = 0; i < s->entries; i++) {
      uint8_t entry[ENTRY];
      read_entry(s, block, i, entry);
      if (holds(entry) && load_le32(entry) >= s->constants) {
        s->constants = load_le32(entry);
        s->block = block;
      }
    }
  }
  for (size_t i = 0; i < s->entries; i++) {
    s->next = is_blank(s, i) ? s->next : i + 1U;
  }
}

void sightings_recall(const struct sightings *s, struct sighted *sighted, uint8_t sensor) {
  memset(sighted, 0, sizeof *sighted);
  sighted->sensor = sensor;
  for (size_t block = 0; block < SIGHTINGS_BLOCKS; block++) {
    for (size_t i = 0; i < s->entries; i++) {
      uint8_t entry[ENTRY];
      read_entry(s, block, i, entry);
      if (holds(entry) && kind_of(entry) == SEEN && entry[SENSOR_AT] == sensor &&
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
  if (!find_trusted(s, id, &sighted->trusted) && !(same_chip && s->entries == 0)) {
    sighted->trusted = fingerprint;
  }
  sighted->any = sighted->met = true;
  sighted->fingerprint = fingerprint;
  memcpy(sighted->id, id, sizeof sighted->id);
  if (!same || s->problem) {
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
