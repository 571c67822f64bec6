/* Graphs at work: reads what sensors say from a stream of bytes, and writes all that each pass makes of it.

   Read: the number of a case (uint16; the stream ends where none follows) and of its blocks (uint16); for each block
   its time (int64), the number of its signals (uint16), and for each signal its number, flags and freshness (uint16)
   and its values; RESET signals
   start the graph anew. Written: for each sample 1, its signal, flags and freshness (uint16), time (int64) and values;
   0 (uint16) behind each pass, 2 behind each case. */
#include "graph.h"

#include <string.h>

#include "cases.h" /* CASES, and for each case its plan and how many bytes of its memory only a pass uses */
#include "io.h"    /* io_read and io_write, of this machine or of an emulated one */

#define RESET UINT16_MAX
#define READS(what) io_read(&(what), sizeof(what))

static void write_word(uint16_t word) {
  io_write(&word, sizeof word);
}

static void tell(void *context, const struct graph *graph, uint16_t signal) {
  (void)context;
  const struct sample *sample = graph_sample(graph, signal);
  write_word(1);
  write_word(signal);
  write_word(sample->flags);
  write_word(sample->fresh);
  io_write(&graph->time_us, sizeof graph->time_us);
  io_write(graph_values(graph, signal), graph->plan->signals[signal].elements * sizeof(float));
}

static void read_block(struct graph *graph, uint32_t shared_bytes) {
  int64_t time_us;
  uint16_t count;
  READS(time_us);
  READS(count);
  if (count == RESET) {
    graph_reset(graph);
    return;
  }
  /* What a pass left behind must not matter. */
  memset(graph->plan->memory, 0xA5, shared_bytes);
  for (uint16_t i = 0; i < count; i++) {
    uint16_t head[3];
    READS(head);
    io_read(graph_values(graph, head[0]), graph->plan->signals[head[0]].elements * sizeof(float));
    graph_put(graph, head[0], head[1], head[2] != 0);
  }
  graph_begin(graph, time_us);
  write_word(0);
  while (graph_step(graph)) {
    write_word(0);
  }
}

int main(void) {
  uint16_t number;
  uint16_t blocks;
  while (READS(number)) {
    struct graph graph;
    const struct graph_case *one = &cases[number];
    READS(blocks);
    graph_start(&graph, one->plan, tell, NULL);
    for (uint16_t block = 0; block < blocks; block++) {
      read_block(&graph, one->shared_bytes);
    }
    write_word(2);
  }
  return 0;
}
