/* The state of a whole wearable: sensors, findings, telemetry and management. agent.h is what moves it. */
#ifndef WEARABLE_H
#define WEARABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "alert_store.h"
#include "board.h"
#include "counters.h"
#include "engine.h"
#include "framing.h"
#include "outbox.h"
#include "person.h"
#include "profile.h"
#include "sensor.h"
#include "sightings.h"
#include "smp.h"
#include "store.h"
#include "update.h"

#define WEARABLE_SOFTWARE "0.1.0"
#define WEARABLE_GROUPS 3
#define WEARABLE_GRACE_US 2000000U /* sensors go on after a host left, so that one who returns misses nothing */

/* What changes of a sensor while it runs; the profile has as many as there are sensors. */
struct wearable_sensor {
  struct store store; /* of its corrections, where its kind has any */
  struct store_kind kind;
  uint32_t constants;   /* their number when the correction was chosen */
  uint32_t fingerprint; /* of them */
  bool known;           /* it has answered, and a correction was chosen */
  bool vouched;         /* the correction in use was made with its very constants */
};

struct wearable {
  const struct board *board;
  const struct profile *profile;
  struct counters counters;
  struct sightings sightings;
  struct sensor_context context;
  struct wearable_sensor *sensors;
  struct store person; /* the wearer */
  struct store_kind person_kind;
  struct alert_store alerts;
  struct engine engine;
  struct outbox outbox;
  struct framing_receiver receiver;
  struct smp_server server;
  struct smp_group groups[WEARABLE_GROUPS];
  struct smp_os os;
  const struct update *update; /* NULL where no bootloader started the firmware */
  _Alignas(8) uint8_t scratch[SENSOR_SCRATCH_BYTES];
  uint8_t answer[SMP_BUFFER_BYTES];

  bool told_sightings; /* that flash does not keep them */
  bool told_alerts;
  bool told_learned;
  bool listening;      /* sensors run; they rest while nobody listens */
  bool alerts_wanted;  /* a host has just come */
  uint64_t rest_at_us; /* when sensors may rest */
  uint64_t clock_due_us;
  uint64_t keys_due_us;
  uint32_t told[COUNTER_FAULTS];                    /* counts that were reported */
  uint32_t next_told_s[COUNTER_FAULTS];             /* when the next report of each may go */
  uint32_t notices[NOTICE_LAST - NOTICE_FIRST + 1]; /* events of the device's own so far, by code */
  size_t line_room;                                 /* of the board's ring when nothing waits */
  bool reset_wanted;
};

/* Begin with what flash keeps and with sensors that were not looked at; the board runs already. `sensors` has room for
   the profile's. */
void wearable_open(struct wearable *wearable, const struct board *board, const struct profile *profile,
                   struct wearable_sensor *sensors);

/* Tell of an event of the device's own. */
void wearable_notice(struct wearable *wearable, enum notice code, enum severity severity, uint8_t sensor,
                     const char *sentence);

/* Keep over a reset where alerts stand, where that is due or at once. */
void wearable_keep_alerts(struct wearable *wearable, bool at_once);

/* Keep over a reset what was learned of the wearer, where that is due or at once. Returns whether flash does. */
bool wearable_keep_learned(struct wearable *wearable, bool at_once);

/* Let every sensor's next block be one that refers to no other; `key_interval` as a host asked for it, 0 as before. */
void wearable_restart_keys(struct wearable *wearable, uint16_t key_interval);

/* Use the stored correction that belongs to the chip at hand, or none. */
void wearable_use_correction(struct wearable *wearable, uint8_t sensor);

/* Why what a sensor says is in doubt, a sentence added to `warning`; whether it is. */
bool wearable_warning(const struct wearable *wearable, uint8_t sensor, struct text *warning);

#endif
