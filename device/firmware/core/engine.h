/* From blocks to findings and alerts, as thermo_core.graph.engine has it. */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "graph.h"
#include "kept.h"
#include "outbox.h"
#include "person.h"
#include "profile.h"
#include "sensor.h"

#define ENGINE_SIGNALS 16 /* that a host may ask for at once */

struct engine {
  const struct profile *profile;
  struct outbox *outbox;
  struct counters *counters;
  const struct board *board;
  bool alerts_moved; /* one has taken a step since somebody last asked */
  struct graph graph;
  uint16_t flags;                 /* enum quality, of everything */
  uint16_t finding_flags;         /* of findings alone */
  bool fresh[LIMIT_SENSORS];      /* what comes next does not continue what came before */
  bool spoke[LIMIT_SENSORS];      /* `newest` holds */
  uint32_t newest[LIMIT_SENSORS]; /* index of the newest block that gave moments */
  float person[PERSON_COUNT];     /* by PERSON_FIELDS; NaN where it is not known */
  bool told;                      /* the graph knows it */
  uint8_t wanted[ENGINE_SIGNALS]; /* signals that a host asked for */
  uint8_t wanted_count;
  struct kept kept;            /* findings for a host that is away */
  uint32_t bundle;             /* first four bytes of its image's SHA-256 */
  float values[LIMIT_OUTPUTS]; /* of the finding at hand */
  int64_t watched_us;          /* time of the pass whose numbers alerts look at, below */
  float watched[LIMIT_ALERTS];
  uint16_t watched_flags[LIMIT_ALERTS];
  bool watched_fresh[LIMIT_ALERTS];
  bool seen[LIMIT_ALERTS];
};

void engine_init(struct engine *engine, const struct profile *profile, struct outbox *outbox, struct counters *counters,
                 const struct board *board);

/* Start anew, as after a pause or a change of the wearer. */
void engine_reset(struct engine *engine);

/* A sensor has other constants or another correction: what its signals gave before does not count any more. */
void engine_refresh(struct engine *engine, uint8_t sensor);

/* Take the newest block of a sensor: run what rests on it, send what is said. `flags` of this sensor alone. */
void engine_push(struct engine *engine, const struct sensor *sensor, const struct sensor_block *block, uint16_t flags);

/* A person has seen an alert. */
void engine_acknowledge(struct engine *engine, uint8_t alert);

/* Say where all alerts stand. */
void engine_tell_alerts(struct engine *engine);

#endif
