/* Graphs at work: reads what sensors say from a stream of bytes, and writes all that each pass makes of it.

   Read: the number of a case (uint16; the stream ends where none follows) and of what happens to it (uint32); for each
   moment its time (int64), the number of its signals (uint16), and for each signal its number, flags and freshness
   (uint16) and its values. No signals end a block, RESET signals start the graph anew, RATE signals set a sensor
   to another rate: the time stands for its number << 32 | mHz. Written: for each sample 1, its
   signal, flags and freshness (uint16), time (int64) and values; 0 (uint16) behind each pass, 2 behind each case. */
#include "graph.h"

#include <string.h>

#include "cases.h" /* CASES, and for each case its plan and how many bytes of its memory only a pass uses */
#include "io.h"    /* io_read and io_write, of this machine or of an emulated one */

#define RESET UINT16_MAX
#define RATE (UINT16_MAX - 1U)
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

static void run_moment(struct graph *graph, int64_t time_us, uint16_t count, uint32_t shared_bytes) {
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
}

static void happen(struct graph *graph, uint32_t shared_bytes) {
  int64_t time_us;
  uint16_t count;
  READS(time_us);
  READS(count);
  if (count == RESET) {
    graph_reset(graph);
  } else if (count == RATE) {
    graph_set_rate(graph, (uint8_t)(time_us >> 32), (uint32_t)(time_us & UINT32_MAX));
  } else if (count > 0) {
    run_moment(graph, time_us, count, shared_bytes);
  } else {
    while (graph_step(graph)) {
      write_word(0);
    }
  }
}

int main(void) {
  uint16_t number;
  uint32_t happenings;
  while (READS(number)) {
    struct graph graph;
    const struct graph_case *one = &cases[number];
    READS(happenings);
    graph_start(&graph, one->plan, tell, NULL);
    for (; happenings > 0; happenings--) {
      happen(&graph, one->shared_bytes);
    }
    write_word(2);
  }
  return 0;
}
