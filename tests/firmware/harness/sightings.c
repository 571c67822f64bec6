/* The firmware's memory of sensors over a flash that can lose power. */
#include "sightings.h"

#include "flash.h"

static struct sightings sightings;
static const struct board *board;

void sightings_new(size_t page_size, size_t pages);
void sightings_reopen(size_t pages_used);
uint32_t sightings_see(const uint16_t *eeprom, uint32_t *fingerprint);
void sightings_take(void);
int sightings_has_problem(void);

void sightings_new(size_t page_size, size_t pages) {
  board = flash_board(page_size, pages);
}

void sightings_reopen(size_t pages_used) {
  sightings_open(&sightings, board, pages_used);
}

/* Generation; its highest bit says that the EEPROM changed. */
uint32_t sightings_see(const uint16_t *eeprom, uint32_t *fingerprint) {
  const struct sighting sighting = sightings_meet(&sightings, eeprom);
  *fingerprint = sighting.fingerprint;
  return sighting.generation | (sighting.changed ? 1U << 31 : 0U);
}

void sightings_take(void) {
  sightings_trust(&sightings);
}

int sightings_has_problem(void) {
  return sightings.problem;
}
