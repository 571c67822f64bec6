/* What a function costs on a Cortex-M, for programs that bench/*.py run. In QEMU with -icount shift=0 each instruction
   takes 1 ns and SysTick counts at 25 or 16 MHz: a loop of known length gives instructions a tick. Programs print lines of a
   name and a number of instructions a call; then of a name and what was computed, bytes in hexadecimal. */
#ifndef M4_COST_H
#define M4_COST_H

#include <stddef.h>
#include <stdint.h>

#define SYST_CSR (*(volatile uint32_t *)0xE000E010)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018)
#define KNOWN_LOOPS 1000000U
#define LONGEST_DUMP 4096U

void say(const char *text);

static uint32_t known_ticks;

static inline void show(const char *name, uint32_t value) {
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

static inline void dump(const char *name, const void *data, size_t size) {
  static const char digits[] = "0123456789abcdef";
  static char text[2U * LONGEST_DUMP + 1U];
  const uint8_t *bytes = data;
  for (size_t i = 0; i < size; i++) {
    text[2U * i] = digits[bytes[i] >> 4];
    text[2U * i + 1U] = digits[bytes[i] & 15U];
  }
  text[2U * size] = '\0';
  say(name);
  say(" ");
  say(text);
  say("\n");
}

static inline uint32_t ticks(void) {
  return 0xFFFFFFU - SYST_CVR;
}

static inline void known_loop(void) {
  uint32_t left = KNOWN_LOOPS;
  __asm__ volatile(".syntax unified\n1: subs %0, #1\n bne 1b" : "+l"(left)::"cc");
}

/* Instructions of one call of `work`, which gets the number of the call. */
static inline uint32_t cost(void (*work)(uint32_t), uint32_t first, uint32_t repeats) {
  const uint32_t began = ticks();
  for (uint32_t i = 0; i < repeats; i++) {
    work(first + i);
  }
  const uint64_t took = (ticks() - began) & 0xFFFFFFU;
  return (uint32_t)(took * 2U * KNOWN_LOOPS / known_ticks / repeats);
}

static inline void start_counting(void) {
  SYST_RVR = 0xFFFFFFU;
  SYST_CVR = 0;
  SYST_CSR = 5; /* on, from the processor's clock */
  const uint32_t began = ticks();
  known_loop();
  known_ticks = (ticks() - began) & 0xFFFFFFU;
}

#endif
