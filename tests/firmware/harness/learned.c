/* What graphs learned, kept in a flash that can lose power. learned_graphs.h names the graphs of the test at hand. */
#include "learned.h"

#include <string.h>

#include "failing_flash.h"
#include "learned_graphs.h"

#define SENSORS 4

static const struct graph_plan *const plans[] = {LEARNED_PLANS};
static struct graph graph;
static struct learned_state state;
static uint32_t bases[LIMIT_LEARNERS];
static struct learned_measure measures[SENSORS];
static struct learning learning;
static const struct board *board;

void learned_new(size_t block_size, size_t blocks, size_t read_size, size_t prog_size);
int learned_open(uint8_t which, uint32_t bytes, uint64_t now_us, uint32_t *unfit);
int learned_put(uint8_t number, const uint8_t *bytes);
void learned_get(uint8_t number, uint8_t *bytes);
int learned_keep(uint64_t now_us, int at_once);
uint32_t learned_measured(uint8_t sensor, uint32_t constants, uint32_t correction);
int learned_forget(uint32_t signal);
void learned_read(size_t at, uint8_t *to, size_t size);
int learned_inject(const uint8_t *bytes, size_t size);

static void tell(void *context, const struct graph *from, uint16_t signal) {
  (void)context;
  (void)from;
  (void)signal;
}

void learned_new(size_t block_size, size_t blocks, size_t read_size, size_t prog_size) {
  board = flash_board(block_size, blocks, read_size, prog_size);
}

/* As after a reset, as the wearable of that number. Returns the blocks that are used. */
int learned_open(uint8_t which, uint32_t bytes, uint64_t now_us, uint32_t *unfit) {
  memset(measures, 0, sizeof measures);
  learning = (struct learning){
      .operations = &learned_operations, .state = &state, .bases = bases, .measures = measures, .bytes = bytes};
  graph_start(&graph, plans[which], tell, NULL);
  return (int)learned_operations.open(&learning, &graph, &board->flash, 0, board->flash.block_count, now_us, unfit);
}

/* Let a stage know this; whether it can. */
int learned_put(uint8_t number, const uint8_t *bytes) {
  const struct learning_place *place = &graph.plan->learnings[number];
  memcpy(graph_learned(&graph, place), bytes, place->bytes);
  return graph_learned_is_sound(&graph, place);
}

void learned_get(uint8_t number, uint8_t *bytes) {
  const struct learning_place *place = &graph.plan->learnings[number];
  memcpy(bytes, graph_learned(&graph, place), place->bytes);
}

int learned_keep(uint64_t now_us, int at_once) {
  return learned_operations.keep(&learning, now_us, at_once != 0);
}

uint32_t learned_measured(uint8_t sensor, uint32_t constants, uint32_t correction) {
  measures[sensor] = (struct learned_measure){.constants = constants, .correction = correction, .known = true};
  return learned_operations.measured(&learning, sensor, measures);
}

int learned_forget(uint32_t signal) {
  return learned_operations.forget(&learning, signal);
}

void learned_read(size_t at, uint8_t *to, size_t size) {
  learned_operations.read(&learning, at, to, size);
}

/* Put any bytes where what was learned is kept. */
int learned_inject(const uint8_t *bytes, size_t size) {
  return (int)store_put(&state.store, bytes, size);
}
