/* What the stages of a wearable have learned of its wearer, kept in flash and shown to a host, as
   thermo_core.graph.learned packs it.

   A firmware whose wearable learns nothing refers to none of this and has none of it. */
#ifndef LEARNED_H
#define LEARNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash.h"
#include "graph.h"
#include "learner.h"
#include "store.h"

/* Between two writes that nobody waits for, and from the start to the first. */
#define LEARNED_EVERY_US INT64_C(3600000000)
#define LEARNED_FIRST_US INT64_C(600000000)

#define LEARNED_ALL UINT32_MAX /* instead of a signal's number */

struct learned_state {
  const struct graph *graph;
  struct store store;
  struct store_kind kind;
  uint64_t due_us;     /* no further write before */
  uint32_t stored_crc; /* of what flash holds */
  uint32_t read_crc;   /* of what a host reads in parts */
  bool problem;        /* the last write failed */
};

/* CRC-32 of a sensor's constants and of the correction in use, 0 of none. */
struct learned_measure {
  uint32_t constants, correction;
  bool known;
};

struct learning_operations;

/* What a wearable's stages learn, as thermo-quantize generates it. */
struct learning {
  const struct learning_operations *operations;
  struct learned_state *state;
  uint32_t *bases; /* of each stage that learns: how its sensors measured what it learned; 0: nobody knows */
  struct learned_measure *measures; /* of each sensor */
  uint32_t bytes;                   /* of all, packed */
};

struct learning_operations {
  /* Know what flash kept in three areas from `first_block` on, which must lie below `end_block`. Returns the blocks
     used; `unfit` is the number of stages for which something was kept that does not fit. */
  size_t (*open)(const struct learning *learning, const struct graph *graph, const struct flash *flash,
                 size_t first_block, size_t end_block, uint64_t now_us, uint32_t *unfit);
  /* Write what is known where it differs, where that is due or at once. Returns whether flash keeps it. */
  bool (*keep)(const struct learning *learning, uint64_t now_us, bool at_once);
  /* A sensor measures otherwise than before, or for the first time. Returns how many stages know nothing any more. */
  uint32_t (*measured)(const struct learning *learning, uint8_t sensor, const struct learned_measure *measures);
  /* Let the stage that gives a signal know nothing, or all; false where it is none. */
  bool (*forget)(const struct learning *learning, uint32_t signal);
  /* Some of the packed bytes; those from 0 on begin anew, and change no more before the next ones from 0 on but where
     the CRC tells it. */
  void (*read)(const struct learning *learning, size_t at, uint8_t *to, size_t size);
  /* What is told of it; here, so that a firmware whose wearable learns nothing has none of these words. */
  const char *unfit, *other_sensors, *no_room, *not_kept, *not_forgotten;
};

extern const struct learning_operations learned_operations;

#endif
