/* Runs a wearable's graph one moment at a time: the same signals as thermo_core.graph.live, byte for byte.

   A block of a sensor gives moments of its signals: none, one, or as many as a FIFO held. All stages and models that
   rest on a moment run in the order of the plan, in one pass for each moment. What a stage with a clock of its own
   gives runs in passes after those of the whole block: first what stages nearest to sensors gave, and of this the
   earliest first. */
#ifndef GRAPH_H
#define GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "stage.h"

#define LEARNING_KEY_BYTES 8

/* A stage that learns of its wearer, in its place. */
struct learning_place {
  uint16_t call;
  uint32_t bytes;                  /* of what it keeps */
  uint8_t key[LEARNING_KEY_BYTES]; /* changes with all that decides what that means */
  const uint8_t *sensors;          /* numbers of those it rests on, ascending */
  uint8_t sensor_count;
};

/* A wearable's graph as thermo-quantize generates it: tables in flash, and where its variables are. */
struct graph_plan {
  const struct signal *signals;
  const struct call *calls;   /* each after all it takes */
  const uint16_t *regridders; /* numbers of the calls that make moments of their own */
  uint16_t signal_count;
  uint16_t call_count;
  uint16_t regridder_count;
  struct sample *samples; /* one a signal */
  struct pace *paces;     /* one a sensor */
  uint8_t pace_count;
  uint8_t *memory; /* where values lie, aligned to 8 bytes */
  const struct learning_place *learnings;
  uint8_t learning_count;
};

struct graph;

/* Told of each sample of each signal as soon as there is one. Its values stay until this returns. */
typedef void graph_tell(void *context, const struct graph *graph, uint16_t signal);

struct graph {
  const struct graph_plan *plan;
  graph_tell *tell;
  void *context;
  const struct board *board; /* set it after graph_start to know how long networks take */
  int64_t time_us;           /* of the pass at hand */
};

/* Begin with a graph. */
void graph_start(struct graph *graph, const struct graph_plan *plan, graph_tell *tell, void *context);

/* Start anew, as after a change of what is known of the wearer. */
void graph_reset(struct graph *graph);

/* A sensor is set to another rate than before; what it gave before does not count any more, nor what others gave. */
void graph_set_rate(struct graph *graph, uint8_t sensor, uint32_t rate_mhz);

/* Whether stages work at this rate of a sensor as they would in a profile that asks for it. */
bool graph_allows_rate(const struct graph *graph, uint8_t sensor, uint32_t rate_mhz);

/* Rate that a sensor is set to; 0 for one the graph does not know. */
uint32_t graph_rate_mhz(const struct graph *graph, uint8_t sensor);

/* Values of a signal: where a sensor's driver writes its sample before `graph_put`, and what is read when told. */
float *graph_values(const struct graph *graph, uint16_t signal);

/* Flags and freshness of a signal, when told. */
const struct sample *graph_sample(const struct graph *graph, uint16_t signal);

/* A sensor's signal has a new sample, whose values are written. */
void graph_put(struct graph *graph, uint16_t signal, uint16_t flags, bool fresh);

/* Run the pass of what was put, all of one sensor and of one moment. A block's moments follow one another, without
   `graph_step` between them. */
void graph_begin(struct graph *graph, int64_t time_us);

/* After a block: run the next pass that waits; false where none does. Has to be called until then before the next
   block; other work may be done between two passes. */
bool graph_step(struct graph *graph);

/* What a stage that learns keeps: `struct learned`, then its own. */
void *graph_learned(const struct graph *graph, const struct learning_place *learning);

/* Let a stage that learns know nothing. */
void graph_forget(const struct graph *graph, const struct learning_place *learning);

/* Whether what was put where a stage keeps can have come about. */
bool graph_learned_is_sound(const struct graph *graph, const struct learning_place *learning);

#endif
