/* A compiled network in a graph: its inputs quantised, its run, its output dequantised. */
#ifndef NETWORK_H
#define NETWORK_H

#include <stdint.h>

#include "container.h"
#include "stage.h"

/* One end of a network: real = scale (q - zero_point). */
struct network_end {
  float scale;
  int8_t zero_point;
};

/* Of a container's graph: its network there. */
struct network_given {
  const struct container *container; /* NULL: the compiled one runs */
  uint32_t number;
};

struct network {
  int8_t *(*const *inputs)(void); /* where each input lies; as many as the call has */
  const int8_t *(*output)(void);
  void (*invoke)(void);
  const struct network_end *input_ends;
  struct network_end output_end;
  uint32_t *took_us; /* by its last run */
  struct network_given *given;
  struct container_place place; /* of the graph's memory */
};

/* Where an input lies, and the output; and a run, of the network that runs at this place. */
int8_t *network_input(const struct network *network, uint32_t number);
const int8_t *network_output(const struct network *network);
void network_invoke(const struct network *network);

/* Elementwise, with `struct network` as parameters. Without a value at each input it gives none, flagged as missing. */
extern const struct stage network_stage;

/* q = saturate(round_half_even(x / scale) + zero_point). Returns false at the first that is no value. `quantised` may
   begin at `values` or before, where it overlaps them. */
bool network_quantise(const struct network_end *end, const float *values, uint32_t count, int8_t *quantised);

#endif
