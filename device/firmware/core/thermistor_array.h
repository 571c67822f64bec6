/* Thermistors behind an ADS1115 (TI SBAS444), scanned between pictures in steps of one short transaction: none of them
   makes a page late. A result counts once the configuration reads back as written and ready, and two reads of it agree.
   Now and then the first channel is converted with a wider range just before: where its counts are then not two thirds
   of those without, nothing is converted, and all channels read as frozen until they are. */
#ifndef THERMISTOR_ARRAY_H
#define THERMISTOR_ARRAY_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "thermistor.h"

#define THERMISTOR_MAX_CHANNELS 4

/* An ADC as the profile has it. */
struct thermistor_settings {
  uint8_t address;
  uint8_t channel_count;
  float rate_hz;        /* scans a second */
  uint32_t check_scans; /* every so many it is looked whether the ADC converts at all */
  struct thermistor_profile channels[THERMISTOR_MAX_CHANNELS];
};

struct thermistor_reading {
  int16_t counts;
  enum thermistor_state state;
  float celsius; /* where the state is OK */
};

enum thermistor_step { THERMISTOR_START, THERMISTOR_CONFIRM, THERMISTOR_FIRST, THERMISTOR_SECOND };

struct thermistor_array {
  struct bus bus;
  const struct thermistor_settings *settings;
  struct thermistor_curve curves[THERMISTOR_MAX_CHANNELS];
  struct thermistor_reading
      readings[THERMISTOR_MAX_CHANNELS]; /* of the last scan, once `thermistor_array_poll` said so */
  uint64_t time_us;                      /* end of that scan */
  uint32_t period_us;
  uint64_t due_us;   /* when the scan should begin */
  uint64_t ready_us; /* when the next transaction may run */
  uint32_t cost_us;  /* what a transaction takes */
  uint8_t channel;
  uint8_t tries;
  enum thermistor_step step;
  uint16_t first;
  int16_t wide; /* of the first channel with the wider range; 0 where it was not looked at */
  uint32_t unchecked;
  bool checking;
  bool frozen;
  bool scanning;
  bool lost;
};

void thermistor_array_init(struct thermistor_array *array, const struct board *board, struct counters *counters,
                           const struct thermistor_settings *settings);

/* Use the settings' curves again. */
void thermistor_array_reset_curves(struct thermistor_array *array);

/* Begin a scan now, whenever the next one was due. */
void thermistor_array_begin(struct thermistor_array *array);

/* When `thermistor_array_poll` has something to do, if the bus stays free until `free_until_us`; UINT64_MAX without
   channels. */
uint64_t thermistor_array_due_us(const struct thermistor_array *array, uint64_t free_until_us);

/* Do at most one transaction, if it ends before `free_until_us`. Where pictures leave no time, a scan that is late by a
   whole period goes on at their expense. True as soon as a scan is complete. */
bool thermistor_array_poll(struct thermistor_array *array, uint64_t free_until_us);

#endif
