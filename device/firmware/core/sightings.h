/* Which sensor was seen with which EEPROM: numbers that rise with every change, and fingerprints of the first sight.

   An EEPROM has no checksum of its own. So a CRC-32 of each sensor's is kept from when it was first seen, or from the
   last calibration that was made with it, and a cell that has changed since is known by that. Kept in two pages of
   flash, written entry by entry: when one is full the other is erased and takes what comes next. Where a board has no
   such pages, all is forgotten at a reset. */
#ifndef SIGHTINGS_H
#define SIGHTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "mlx90640_constants.h"
#include "mlx90640_registers.h"

#define SIGHTINGS_PAGES 2U

struct sighting {
  uint32_t generation;  /* any other EEPROM has had a lower number or will have a higher one; 0: none was seen */
  uint32_t fingerprint; /* CRC-32 of the EEPROM, low bytes first */
  bool changed;         /* it is not the one this sensor was first seen or calibrated with */
};

struct sightings {
  const struct board *board;
  size_t first_page; /* of the two; 0 entries fit where there are none */
  size_t entries;    /* in a page */
  size_t page;       /* 0 or 1, the one written to */
  size_t next;       /* entry to write next */
  bool problem;      /* the newest sighting is not in flash */
  bool any;          /* one was seen, the fields below are its */
  bool met;          /* since the start; then `trusted` holds */
  uint32_t generation;
  uint32_t fingerprint;
  uint32_t trusted;
  uint8_t id[MLX90640_ID_BYTES];
};

/* Find what flash holds in the last two pages of a board, which must lie behind `pages_used` pages. */
void sightings_open(struct sightings *sightings, const struct board *board, size_t pages_used);

/* Take the EEPROM that was found now, as it was verified. */
struct sighting sightings_meet(struct sightings *sightings, const uint16_t eeprom[MLX90640_EEPROM_WORDS]);

/* Hold the sensor that was met last to its EEPROM from now on: its temperatures were compared with a reference. */
void sightings_trust(struct sightings *sightings);

/* CRC-32 of 832 words, low bytes first. */
uint32_t sightings_fingerprint(const uint16_t eeprom[MLX90640_EEPROM_WORDS]);

#endif
