/* The firmware's memory of sensors over a flash that can lose power. */
#include "sightings.h"

#include <string.h>

#include "failing_flash.h"

static struct sightings sightings;
static struct sighted sighted[2];
static const struct board *board;

void sightings_new(size_t block_size, size_t blocks, size_t read_size, size_t prog_size);
void sightings_reopen(size_t blocks_used);
uint32_t sightings_see(uint8_t sensor, const uint8_t id[SIGHTINGS_ID_BYTES], uint32_t fingerprint);
void sightings_take(uint8_t sensor);
int sightings_has_problem(void);

void sightings_new(size_t block_size, size_t blocks, size_t read_size, size_t prog_size) {
  board = flash_board(block_size, blocks, read_size, prog_size);
}

void sightings_reopen(size_t blocks_used) {
  sightings_open(&sightings, &board->flash, blocks_used);
  for (uint8_t sensor = 0; sensor < sizeof sighted / sizeof sighted[0]; sensor++) {
    sightings_recall(&sightings, &sighted[sensor], sensor);
  }
}

/* Number of the constants; its highest bit says that they changed. */
uint32_t sightings_see(uint8_t sensor, const uint8_t id[SIGHTINGS_ID_BYTES], uint32_t fingerprint) {
  const struct sighting sighting = sightings_meet(&sightings, &sighted[sensor], id, fingerprint);
  return sighting.constants | (sighting.changed ? 1U << 31 : 0U);
}

void sightings_take(uint8_t sensor) {
  sightings_trust(&sightings, &sighted[sensor]);
}

int sightings_has_problem(void) {
  return sightings.journal.problem;
}
