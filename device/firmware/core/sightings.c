/* An entry, 24 bytes: u32 generation, u32 fingerprint, 6 bytes identity, u16 kind, 4 bytes of ones, u32 CRC-32 of what
   is before it. One that a power failure cut short fails its CRC and is passed over. */
#include "sightings.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"

#define ENTRY 24U
#define BODY 20U

enum kind { SEEN = 1, TRUSTED = 2 };

static const uint8_t *entry_at(const struct sightings *s, size_t page, size_t entry) {
  return s->board->flash + (s->first_page + page) * s->board->flash_page_size + entry * ENTRY;
}

static bool is_blank(const uint8_t *entry) {
  for (size_t i = 0; i < ENTRY; i++) {
    if (entry[i] != 0xFF) {
      return false;
    }
  }
  return true;
}

static bool holds(const uint8_t *entry) {
  return load_le32(entry + BODY) == crc32_update(0, entry, BODY);
}

static enum kind kind_of(const uint8_t *entry) {
  return load_le16(entry + 14) == TRUSTED ? TRUSTED : SEEN;
}

/* The fingerprint that a sensor is held to: of the last calibration, or else of the first sight. */
static bool find_trusted(const struct sightings *s, const uint8_t id[MLX90640_ID_BYTES], uint32_t *fingerprint) {
  bool found = false;
  bool trusted = false;
  uint32_t generation = 0;
  for (size_t page = 0; page < SIGHTINGS_PAGES; page++) {
    for (size_t i = 0; i < s->entries; i++) {
      const uint8_t *const entry = entry_at(s, page, i);
      if (!holds(entry) || memcmp(entry + 8, id, MLX90640_ID_BYTES) != 0) {
        continue;
      }
      const bool its_own = kind_of(entry) == TRUSTED;
      const uint32_t its_generation = load_le32(entry);
      const bool better =
          its_own ? !trusted || its_generation >= generation : !trusted && (!found || its_generation < generation);
      if (better) {
        found = true;
        trusted = its_own;
        generation = its_generation;
        *fingerprint = load_le32(entry + 4);
      }
    }
  }
  return found;
}

static void append(struct sightings *s, enum kind kind, uint32_t fingerprint) {
  const struct board *const board = s->board;
  uint8_t entry[ENTRY];
  memset(entry, 0xFF, sizeof entry);
  store_le32(entry, s->generation);
  store_le32(entry + 4, fingerprint);
  memcpy(entry + 8, s->id, MLX90640_ID_BYTES);
  store_le16(entry + 14, (uint16_t)kind);
  store_le32(entry + BODY, crc32_update(0, entry, BODY));
  const uint8_t *const place = entry_at(s, s->page, s->next);
  s->next++;
  s->problem = board->flash_program((size_t)(place - board->flash), entry, sizeof entry) != STATUS_OK ||
               memcmp(place, entry, sizeof entry) != 0;
}

/* Keep an entry. Where the page is full the other one is erased, and first takes what the sensor at hand is held to. */
static void keep(struct sightings *s, enum kind kind) {
  if (s->entries == 0) {
    return;
  }
  if (s->next == s->entries) {
    if (s->board->flash_erase(s->first_page + 1U - s->page) != STATUS_OK) {
      s->problem = true;
      return;
    }
    s->page = 1U - s->page;
    s->next = 0;
    append(s, TRUSTED, s->trusted);
  }
  append(s, kind, kind == TRUSTED ? s->trusted : s->fingerprint);
}

void sightings_open(struct sightings *s, const struct board *board, size_t pages_used) {
  memset(s, 0, sizeof *s);
  s->board = board;
  if (board->flash_pages < pages_used + SIGHTINGS_PAGES || board->flash_page_size < 4U * ENTRY) {
    return;
  }
  s->first_page = board->flash_pages - SIGHTINGS_PAGES;
  s->entries = board->flash_page_size / ENTRY;
  for (size_t page = 0; page < SIGHTINGS_PAGES; page++) {
    for (size_t i = 0; i < s->entries; i++) {
      const uint8_t *const entry = entry_at(s, page, i);
      if (holds(entry) && load_le32(entry) >= s->generation) {
        s->generation = load_le32(entry);
        s->page = page;
        if (kind_of(entry) == SEEN) {
          s->any = true;
          s->fingerprint = load_le32(entry + 4);
          memcpy(s->id, entry + 8, MLX90640_ID_BYTES);
        }
      }
    }
  }
  for (size_t i = 0; i < s->entries; i++) {
    s->next = is_blank(entry_at(s, s->page, i)) ? s->next : i + 1U;
  }
}

struct sighting sightings_meet(struct sightings *s, const uint16_t eeprom[MLX90640_EEPROM_WORDS]) {
  const uint32_t fingerprint = sightings_fingerprint(eeprom);
  uint8_t id[MLX90640_ID_BYTES];
  for (size_t i = 0; i < MLX90640_ID_BYTES / 2U; i++) {
    store_be16(id + 2U * i, eeprom[MLX90640_DEVICE_ID - MLX90640_EEPROM + i]);
  }
  const bool same_sensor = s->any && memcmp(id, s->id, sizeof id) == 0;
  const bool same = same_sensor && fingerprint == s->fingerprint;
  if (!same) {
    s->generation++;
  }
  if (!find_trusted(s, id, &s->trusted) && !(same_sensor && s->entries == 0)) {
    s->trusted = fingerprint;
  }
  s->any = s->met = true;
  s->fingerprint = fingerprint;
  memcpy(s->id, id, sizeof id);
  if (!same || s->problem) {
    keep(s, SEEN);
  }
  return (struct sighting){s->generation, fingerprint, s->trusted != fingerprint};
}

void sightings_trust(struct sightings *s) {
  if (s->met && s->trusted != s->fingerprint) {
    s->trusted = s->fingerprint;
    keep(s, TRUSTED);
  }
}

uint32_t sightings_fingerprint(const uint16_t eeprom[MLX90640_EEPROM_WORDS]) {
  uint32_t crc = 0;
  for (size_t i = 0; i < MLX90640_EEPROM_WORDS; i++) {
    uint8_t word[2];
    store_le16(word, eeprom[i]);
    crc = crc32_update(crc, word, sizeof word);
  }
  return crc;
}
