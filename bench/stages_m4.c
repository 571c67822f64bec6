/* What stages cost on a Cortex-M, for bench/stages.py. Runs in QEMU with -icount shift=0, where each instruction takes
   1 ns and SysTick counts at 25 or 16 MHz: a loop of known length gives instructions a tick. Prints lines of a name and a number
   of instructions a block of the sensor. */
#include <string.h>

#include "cases.h" /* cases, pictures, and for the chain of the breast patch CHAIN and CHAIN_INVOKE */

#define SYST_CSR (*(volatile uint32_t *)0xE000E010)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018)
#define KNOWN_LOOPS 1000000U
#define REPEATS 40U
#define PICTURES (sizeof pictures[0] / sizeof pictures[0][0])

void say(const char *text);

static struct graph graph;
static const struct stages_case *measured;
static uint32_t known_ticks;

static void show(const char *name, uint32_t value) {
  char digits[12];
  uint32_t at = sizeof digits - 1U;
  digits[at] = '\0';
  do {
    digits[--at] = (char)('0' + value % 10U);
    value /= 10U;
  } while (value != 0);
  say(name);
  say(" ");
  say(digits + at);
  say("\n");
}

static uint32_t ticks(void) {
  return 0xFFFFFFU - SYST_CVR;
}

static void known_loop(void) {
  uint32_t left = KNOWN_LOOPS;
  __asm__ volatile(".syntax unified\n1: subs %0, #1\n bne 1b" : "+l"(left)::"cc");
}

/* Instructions of one call of `work`, which gets the number of the call. */
static uint32_t cost(void (*work)(uint32_t), uint32_t first, uint32_t repeats) {
  const uint32_t began = ticks();
  for (uint32_t i = 0; i < repeats; i++) {
    work(first + i);
  }
  const uint64_t took = (ticks() - began) & 0xFFFFFFU;
  return (uint32_t)(took * 2U * KNOWN_LOOPS / known_ticks / repeats);
}

static void ignore(void *context, const struct graph *told, uint16_t signal) {
  (void)context;
  (void)told;
  (void)signal;
}

/* The signals of a sensor are put one after another into the graph's memory. */
static void write_block(uint32_t call) {
  for (uint16_t i = 0; i < measured->put_count; i++) {
    const uint32_t elements = graph.plan->signals[measured->put[i]].elements;
    memcpy(graph_values(&graph, measured->put[i]), pictures[measured->scene][call % PICTURES], elements * sizeof(float));
    graph_put(&graph, measured->put[i], 0, false);
  }
}

static void run_block(uint32_t call) {
  write_block(call);
  graph_begin(&graph, (int64_t)call * measured->period_us);
  while (graph_step(&graph)) {
  }
}

static uint32_t case_cost(const struct stages_case *one) {
  measured = one;
  graph_start(&graph, one->plan, ignore, NULL);
  for (uint32_t i = 0; i < one->warm_up; i++) {
    run_block(i);
  }
  return cost(run_block, one->warm_up, REPEATS);
}

static void invoke(uint32_t call) {
  (void)call;
  CHAIN_INVOKE();
}

int main(void) {
  SYST_RVR = 0xFFFFFFU;
  SYST_CVR = 0;
  SYST_CSR = 5; /* on, from the processor's clock */
  const uint32_t began = ticks();
  known_loop();
  known_ticks = (ticks() - began) & 0xFFFFFFU;
  for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    show(cases[i].name, case_cost(&cases[i]));
  }
  show("writing", cost(write_block, 0, REPEATS)); /* of the last case, the chain */
  show("invoke", cost(invoke, 0, REPEATS));
  return 0;
}
