/* The MLX90640 at work: every page once, in time, as it was measured, or counted as lost under the name of its cause.

   The sensor raises a flag over each page and goes on measuring. A page's own pixels stay in RAM until the page after
   the next one is complete, so a page may be read late by one period and is still whole; after that it is overwritten.
 */
#ifndef MLX90640_ACQUISITION_H
#define MLX90640_ACQUISITION_H

#include <stdbool.h>
#include <stdint.h>

#include "mlx90640_chip.h"
#include "mlx90640_constants.h"
#include "page_schedule.h"
#include "sightings.h"

/* A camera as the profile has it. */
struct mlx90640_settings {
  uint8_t address;
  uint8_t refresh_code;    /* control register bits 9-7: 0 is 0.5 Hz, 7 is 64 Hz */
  uint8_t resolution_code; /* bits 11-10: 0 is 16 bit, 3 is 19 bit */
  bool chess;
  float emissivity;
  float reflected_celsius; /* NaN: 8 K below the die */
};

enum mlx90640_acquisition_state { MLX90640_ABSENT, MLX90640_RUNNING };

struct mlx90640_acquisition {
  struct mlx90640_chip chip;
  struct counters *counters;
  struct settle_scratch *scratch;
  struct sightings *sightings;
  struct sighted sighted;
  struct page_schedule schedule;
  uint16_t control; /* as it is set */
  enum mlx90640_acquisition_state state;
  enum status fault; /* why it does not deliver; OK while it does */

  bool has_eeprom;
  bool has_constants;
  bool has_sighting;
  struct sighting sighting; /* of the EEPROM that was read last */
  uint8_t id[MLX90640_ID_BYTES];
  uint16_t eeprom[MLX90640_EEPROM_WORDS];
  struct mlx90640_constants constants;

  /* The newest subpage, once `mlx90640_acquisition_poll` said so. */
  uint16_t ram[RAM_WORDS];
  uint32_t index; /* its running number; a gap is a loss */
  uint8_t number;
  uint64_t time_us; /* end of its capture */

  struct own_words before[2];
  bool has_before[2];
  bool has_number;
  uint8_t last_number;
  uint32_t next_index;
  bool has_gap;
  uint64_t gap_from_us;
  uint64_t steady_us; /* by then pages are made at the rate that is set */
  bool stale_seen;
  bool foreign;       /* the next page was begun with another pattern or resolution */
  uint8_t same_pages; /* equal to the one before them, in a row */
  uint64_t retry_at_us;
  uint32_t retry_us;
};

/* Set up nothing yet; the first `mlx90640_acquisition_poll` does. `scratch` is used during calls alone and may be
   shared. Whenever the sensor is set up again its EEPROM is compared first: another one begins a new generation of
   constants. */
void mlx90640_acquisition_init(struct mlx90640_acquisition *camera, const struct board *board,
                               struct counters *counters, const struct mlx90640_settings *settings,
                               struct settle_scratch *scratch, struct sightings *sightings, uint8_t sensor);

/* When the bus is next needed, microseconds; before that `mlx90640_acquisition_poll` does nothing. */
uint64_t mlx90640_acquisition_due_us(const struct mlx90640_acquisition *camera);

/* Do what is due: bring the sensor up, look for a page, read it. True where `ram` now holds a new subpage. Never fails
   for what happens on the bus: that is counted, repaired, and tried again. */
bool mlx90640_acquisition_poll(struct mlx90640_acquisition *camera);

/* After a pause on purpose: take the next page as the next one, without counting those in between as lost. */
void mlx90640_acquisition_resume(struct mlx90640_acquisition *camera);

/* Subpages a second it is set to, and as they come by the board's clock. */
float mlx90640_acquisition_rate_hz(const struct mlx90640_acquisition *camera);
float mlx90640_acquisition_measured_rate_hz(const struct mlx90640_acquisition *camera);

/* Change the refresh rate: ARGUMENT where the sensor has no such rate, FULL where the bus cannot carry it. */
enum status mlx90640_acquisition_set_rate(struct mlx90640_acquisition *camera, float rate_hz);

/* Whether temperatures are in doubt: the EEPROM changed since it was first seen, or holds words no known sensor does.
 */
bool mlx90640_acquisition_is_doubtful(const struct mlx90640_acquisition *camera);

/* Read the EEPROM anew: OK where it is still what the constants were taken from, DAMAGED where not, and then they are
   taken from it anew; EMPTY where the sensor has never answered. */
enum status mlx90640_acquisition_verify_eeprom(struct mlx90640_acquisition *camera);

#endif
