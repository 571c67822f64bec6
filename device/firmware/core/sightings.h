/* Which chip was seen with which constants: numbers that rise with every change, and fingerprints of the first sight.

   Constants have no checksum of their own. So a CRC-32 of each chip's is kept from when it was first seen, or from the
   last calibration that was made with it, and a cell that has changed since is known by that. Kept in a
   journal in flash; where a board has no room for it, all is forgotten at a reset. */
#ifndef SIGHTINGS_H
#define SIGHTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal.h"

#define SIGHTINGS_ID_BYTES 8

struct sighting {
  uint32_t constants; /* their number: any other content has had a lower one or will have a higher one; 0: none seen */
  uint32_t fingerprint; /* CRC-32 of the constants as they travel */
  bool changed;         /* they are not those this chip was first seen or calibrated with */
};

/* What is known of the chip of one sensor. */
struct sighted {
  uint8_t sensor; /* its number */
  bool any;       /* one was seen, `id` and `fingerprint` are its */
  bool met;       /* since the start; then `trusted` holds */
  uint32_t constants;
  uint32_t fingerprint;
  uint32_t trusted;
  uint8_t id[SIGHTINGS_ID_BYTES];
};

struct sightings {
  struct journal journal;
  uint32_t constants; /* the highest number given so far, to any sensor */
};

/* Find what flash holds in the last two blocks of a flash, which must lie behind `blocks_used` blocks. */
void sightings_open(struct sightings *sightings, const struct flash *flash, size_t blocks_used);

/* What flash knows of a sensor's chip. */
void sightings_recall(const struct sightings *sightings, struct sighted *sighted, uint8_t sensor);

/* Take the constants that were found now, as they were verified: identity, padded with zero bytes, and fingerprint. */
struct sighting sightings_meet(struct sightings *sightings, struct sighted *sighted,
                               const uint8_t id[SIGHTINGS_ID_BYTES], uint32_t fingerprint);

/* Hold the chip that was met last to its constants from now on: what it says was compared with a reference. */
void sightings_trust(struct sightings *sightings, struct sighted *sighted);

#endif
