/* SMP group 65: a wearable's own commands (docs/wire.md), over what the main loop can do. */
#ifndef WEARABLE_GROUP_H
#define WEARABLE_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "correction.h"
#include "counters.h"
#include "profile.h"
#include "smp.h"
#include "store.h"

#define WEARABLE_PART_BYTES 1024 /* longest part of one answer */
#define WEARABLE_EEPROM_WORDS 832
#define WEARABLE_SHORTEST_LEASE_MS 100
#define WEARABLE_WARNING_BYTES 128

/* Codes of the group. */
enum wearable_code {
  WEARABLE_UNKNOWN = 1,
  WEARABLE_NO_SENSOR,
  WEARABLE_NO_CALIBRATION,
  WEARABLE_WRONG_SENSOR,
  WEARABLE_DAMAGED,
  WEARABLE_BAD_OFFSET,
  WEARABLE_BAD_RATE,
  WEARABLE_NO_LEASE,
  WEARABLE_STORAGE,
  WEARABLE_IMPLAUSIBLE,
};

/* What changes while it runs. */
struct wearable_state {
  uint64_t time_us;
  bool calibrated;   /* a calibration is in use */
  bool sensor_known; /* `sensor_id` is that of the picture sensor; otherwise it never answered */
  uint8_t sensor_id[STORE_SENSOR_ID_BYTES];
  uint32_t generation;                         /* of the picture sensor's constants; 0 where there are none */
  uint32_t fingerprint;                        /* of its EEPROM */
  float camera_rate_hz;                        /* subpages per second, as set */
  char sensor_warning[WEARABLE_WARNING_BYTES]; /* why its temperatures are in doubt, a sentence; "" where not */
  const char *sensor_fault; /* why the picture sensor is not there, a sentence; NULL: it has not answered yet */
};

/* Collects the results of a self-test. */
struct wearable_results {
  struct cbor_writer *body;
  uint32_t count;
};

/* What the commands need of the main loop. */
struct wearable_services {
  void *context; /* for all functions */
  const char *software;
  uint32_t lease_max_ms;
  bool development_key; /* it runs models signed with the key that everybody has */

  void (*state)(void *context, struct wearable_state *state);
  /* Grant a lease from now on, drop telemetry that waits, make key frames of the next subpages. `key_interval` 0 leaves
     it to the device. `lease_ms` is at most `lease_max_ms`. */
  void (*stream_start)(void *context, uint32_t lease_ms, uint16_t key_interval);
  /* Grant anew without key frames; false where no lease runs. */
  bool (*stream_renew)(void *context, uint32_t lease_ms);
  void (*stream_stop)(void *context);
  /* The picture sensor's WEARABLE_EEPROM_WORDS words, or NULL where it never answered. */
  const uint16_t *(*eeprom)(void *context);
  /* Set the refresh rate; `*set_hz` is the one set. Where it is refused (false) the sentence is added to `reason` and
     `*code` says why. */
  bool (*set_rate)(void *context, float rate_hz, float *set_hz, enum wearable_code *code, struct text *reason);
  /* Call wearable_group_result for each part tested. */
  void (*self_test)(void *context, struct wearable_results *results);
  /* Whether the sensor at hand, which it is of, cannot need this calibration: false where it can; then `*code` and
     `reason` say why. NULL: any may be. */
  bool (*objects)(void *context, const struct correction *correction, enum wearable_code *code, struct text *reason);
  /* The store's current calibration is another one. */
  void (*calibration_changed)(void *context);
};

struct wearable_group {
  const struct board *board;
  const struct profile *profile;
  const struct wearable_services *services;
  const struct counters *counters;
  const struct smp_server *server; /* for the last refusal */
  struct store *store;
};

/* The group for an SMP server; `group` must stay. */
struct smp_group wearable_group_commands(struct wearable_group *group);

/* One result of a self-test. */
void wearable_group_result(struct wearable_results *results, const char *name, bool passed, const char *detail);

#endif
