/* A whole wearable: sensors, verdicts, telemetry and management in one main loop. */
#ifndef WEARABLE_H
#define WEARABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "camera.h"
#include "correction.h"
#include "counters.h"
#include "counts.h"
#include "framing.h"
#include "outbox.h"
#include "profile.h"
#include "sightings.h"
#include "smp.h"
#include "store.h"
#include "thermistor_array.h"
#include "verdicts.h"
#include "wearable_group.h"

#define WEARABLE_SOFTWARE "0.1.0"
#define WEARABLE_GROUPS 3

/* Room that is used within one step alone, by one at a time. */
union wearable_workspace {
  struct settle_scratch settle;
  struct verdict_scratch verdict;
};

struct wearable {
  const struct board *board;
  const struct profile *profile;
  struct counters counters;
  struct store store;
  struct sightings sightings;
  struct correction correction;
  struct camera camera;
  struct thermistor_array thermistors;
  struct verdicts verdicts;
  struct counts_encoder encoder;
  struct outbox outbox;
  struct framing_receiver receiver;
  struct smp_server server;
  struct smp_group groups[WEARABLE_GROUPS];
  struct smp_os os;
  struct wearable_services services;
  struct wearable_group group;
  union wearable_workspace workspace;
  uint8_t answer[SMP_BUFFER_BYTES];

  uint32_t generation; /* of the camera's constants that are in use */
  bool told_sightings; /* that flash does not keep them */
  bool listening;      /* sensors run; they rest while nobody listens */
  uint64_t rest_at_us; /* when they may */
  uint64_t newest_us;  /* end of the newest capture; 0 where there is none */
  uint64_t clock_due_us;
  uint64_t keys_due_us;
  uint32_t told[COUNTER_FAULTS];                                 /* counts that were reported */
  uint32_t next_told_s[COUNTER_FAULTS];                          /* when the next report of each may go */
  uint32_t notices[NOTICE_STORAGE - NOTICE_REQUEST_REFUSED + 1]; /* events of the agent's own so far, by code */
  size_t line_room;                                              /* of the board's ring when nothing waits */
  bool reset_wanted;
};

/* Start everything; the board runs already. */
void wearable_init(struct wearable *wearable, const struct board *board, const struct profile *profile);

/* Do what is due, then sleep until something else is. Call it for ever. */
void wearable_step(struct wearable *wearable);

#endif
