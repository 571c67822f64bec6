/* A sensor of a wearable: a row of the profile, and the driver of its kind. Nothing outside a driver knows a kind.

   A driver is looked after by `poll` when `due_us` says so, each time with at most one look at the chip, so that no
   sensor makes another one late. What a chip said once is a block: `pack` gives its bytes for the host, `read` puts the
   same into the graph. */
#ifndef SENSOR_H
#define SENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "bus.h"
#include "correction.h"
#include "counters.h"
#include "graph.h"
#include "multiplexer.h"
#include "sightings.h"
#include "text.h"
#include "wire_table.h"

#define SENSOR_ID_BYTES 8

struct sensor_driver;

/* A sensor as the profile has it. */
struct sensor {
  const struct sensor_driver *driver;
  const char *name;
  const void *settings;  /* of the driver's own type */
  void *state;           /* of the driver's own type */
  const struct way *way; /* through multiplexers; NULL where its chip is on the bus itself */
  uint16_t signal;       /* number of its first signal in the graph */
  uint8_t number;
};

/* What drivers share. */
struct sensor_context {
  const struct board *board;
  struct counters *counters;
  struct sightings *sightings;
  struct switchboard *switchboard; /* NULL where the bus has no multiplexers */
  void *scratch;                   /* SENSOR_SCRATCH_BYTES that one call may use, aligned to 8 */
};

#define SENSOR_SCRATCH_BYTES 3200U

/* A block that a sensor has now. */
struct sensor_block {
  uint64_t time_us; /* end of its capture */
  uint32_t index;   /* running number; a gap is a loss */
};

/* A sensor as it is now. */
struct sensor_status {
  uint8_t id[SENSOR_ID_BYTES];
  uint8_t id_size;      /* 0: the chip has none, or has not answered yet */
  uint32_t constants;   /* number of its constants, which rises with each change of them; 0 where it has none */
  uint32_t fingerprint; /* CRC-32 of them */
  bool changed;         /* they are not those it was first seen or calibrated with */
  uint16_t strange;     /* address of a word of theirs that no known chip holds; 0 where there is none */
  float rate_hz;        /* as it is set */
  const char *fault;    /* why it does not deliver, a sentence; NULL while it does, or has not been asked yet */
};

/* What became of numbers that a host gave. */
enum sensor_fed {
  SENSOR_FED,
  SENSOR_FED_WRONG, /* they cannot be */
  SENSOR_FED_LATER, /* those before wait for the next poll */
};

/* Collects the results of a self-test. */
struct sensor_results {
  void (*add)(struct sensor_results *results, const char *name, bool passed, const char *detail);
  void *context;
  const struct sensor *sensor;
};

/* Functions that a kind does not have are NULL. */
struct sensor_driver {
  const char *kind;        /* as a profile calls it */
  uint8_t correction_kind; /* its number in corrections; 0: it is never corrected */
  size_t correction_bytes; /* longest body of one */
  bool urgent;             /* its chip overwrites what is not read in time */

  void (*init)(const struct sensor *sensor, const struct sensor_context *context);
  /* When it has something to do if the bus stays free until `free_until_us`; UINT64_MAX where never. */
  uint64_t (*due_us)(const struct sensor *sensor, uint64_t free_until_us);
  /* Do what is due; true where there is a new block. Never fails for what happens on the bus: that is counted,
     repaired, and tried again. */
  bool (*poll)(const struct sensor *sensor, uint64_t free_until_us, struct sensor_block *block);
  /* Data of the newest block, at most RECORDS_MAX_BLOCK bytes; returns how many. */
  size_t (*pack)(const struct sensor *sensor, uint8_t *data);
  /* Put the moments of the newest block into the graph: with these flags, the first of them fresh where it does not
     continue what came before. Returns whether there was any. */
  bool (*read)(const struct sensor *sensor, struct graph *graph, uint16_t flags, bool fresh);
  /* Begin anew for a host: key frames, where the codec has them; 0 keeps their interval. */
  void (*restart)(const struct sensor *sensor, uint16_t key_interval);
  /* After a pause on purpose: what was missed is no loss. */
  void (*resume)(const struct sensor *sensor);
  /* What it is now; `status` is all zeros before. */
  void (*status)(const struct sensor *sensor, struct sensor_status *status);
  /* Bytes of its constants as they travel, 0 where they were not read yet, and some of them. */
  size_t (*constants_size)(const struct sensor *sensor);
  void (*constants)(const struct sensor *sensor, size_t offset, uint8_t *to, size_t size);
  /* The sensor's constants were held to a reference just now. */
  void (*trust)(const struct sensor *sensor);
  /* Whether a body is one of this kind's corrections, for this sensor. */
  bool (*possible)(const struct sensor *sensor, const struct correction *correction);
  /* Whether no sensor in order can need it; then `reason` says why. */
  bool (*objects)(const struct sensor *sensor, const struct correction *correction, struct text *reason);
  /* Use a correction that is possible; NULL: none. */
  void (*correct)(const struct sensor *sensor, const struct correction *correction);
  /* Whether one that changes something is in use. */
  bool (*corrected)(const struct sensor *sensor);
  /* Set its rate; where it is refused (false) the sentence is added to `reason` and `*error` says why. */
  bool (*set_rate)(const struct sensor *sensor, float rate_hz, enum group_error *error, struct text *reason);
  /* Take numbers from the host, as a block that `poll` then has; where they are wrong `reason` says why. */
  enum sensor_fed (*feed)(const struct sensor *sensor, const uint8_t *values, size_t count, struct text *reason);
  void (*self_test)(const struct sensor *sensor, struct sensor_results *results);
};

/* Lead transactions of a sensor's chip through its multiplexers. */
void sensor_route(const struct sensor *sensor, const struct sensor_context *context, struct bus *bus);

#endif
