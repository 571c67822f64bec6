/* Vector table, from reset to main, what happens on a fault, and why the board started. */
#include "startup.h"

#include "clock.h"
#include "registers.h"
#include "twim.h"
#include "uart.h"

#define PAINT 0xC5C5C5C5U
#define ASKED_FOR 0x41534B21U
#define FAULTED 0x46415521U

extern uint32_t stack_bottom[], stack_top[], data_source[], data_start[], data_end[], bss_start[], bss_end[];
int main(void);

/* What the software was about when it asked for a reset. */
static uint32_t state __attribute__((section(".noinit")));

enum reset_cause startup_peek_cause(void) {
  const uint32_t reason = POWER_RESET_REASON;
  return (reason & (RESET_REASON_WATCHDOG | RESET_REASON_LOCKUP)) != 0U ? RESET_WATCHDOG
         : (reason & RESET_REASON_SOFTWARE) != 0U                       ? RESET_SOFTWARE
                                                                        : RESET_POWER;
}

/* Reasons pile up until they are cleared, so the gravest counts. */
enum reset_cause startup_reset_cause(void) {
  const uint32_t reason = POWER_RESET_REASON;
  const uint32_t before = state;
  POWER_RESET_REASON = reason; /* ones clear it */
  state = 0;
  if ((reason & (RESET_REASON_WATCHDOG | RESET_REASON_LOCKUP)) != 0U) {
    return RESET_WATCHDOG;
  }
  if ((reason & RESET_REASON_SOFTWARE) == 0U) {
    return RESET_POWER;
  }
  return before == FAULTED ? RESET_WATCHDOG : RESET_SOFTWARE;
}

static _Noreturn void restart(uint32_t why) {
  state = why;
  barrier();
  SCB_AIRCR = SCB_AIRCR_RESET;
  for (;;) {
  }
}

_Noreturn void startup_reset(void *context) {
  (void)context;
  restart(ASKED_FOR);
}

size_t startup_stack_used(void *context) {
  (void)context;
  const uint32_t *word = stack_bottom;
  while (word < stack_top && *word == PAINT) {
    word++;
  }
  return (size_t)(stack_top - word) * sizeof *word;
}

typedef void (*handler)(void);

struct vectors {
  uint32_t *stack;
  handler core[15];
  handler interrupts[48];
};
static const struct vectors vectors;

__attribute__((used)) static _Noreturn void start(void) {
  SCB_VTOR = (uint32_t)(uintptr_t)&vectors;
  SCB_CPACR |= SCB_CPACR_FPU;
  SCB_CCR |= SCB_CCR_DIVIDE_BY_ZERO_TRAP;
  NVMC_CACHE = NVMC_CACHE_ON;
  barrier();
  for (uint32_t *to = data_start, *from = data_source; to < data_end;) {
    *to++ = *from++;
  }
  for (uint32_t *to = bss_start; to < bss_end;) {
    *to++ = 0;
  }
  (void)main();
  startup_reset(NULL);
}

/* Paints the stack while nothing lies on it, so in assembly. */
__attribute__((naked, used, noreturn)) void reset_handler(void);
__attribute__((naked, used, noreturn)) void reset_handler(void) {
  __asm__ volatile(
      "cpsid i\n"
      "ldr r0, =stack_bottom\n"
      "ldr r1, =stack_top\n"
      "mov sp, r1\n"
      "ldr r2, =%c0\n"
      "1: str r2, [r0]\n"
      "adds r0, #4\n"
      "cmp r0, r1\n"
      "blo 1b\n"
      "cpsie i\n"
      "b start\n"
      ".ltorg\n" ::"i"(PAINT));
}

__attribute__((used)) static _Noreturn void fault(void) {
  restart(FAULTED);
}

/* Comes of anything the processor cannot do. The stack may be used up, so begin a new one. */
__attribute__((naked, used)) static void fault_handler(void) {
  __asm__ volatile(
      "ldr r2, =stack_top\n"
      "mov sp, r2\n"
      "b fault\n"
      ".ltorg\n");
}

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    .stack = stack_top,
    .core = {reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
             fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
             fault_handler},
    .interrupts = {[UARTE_IRQ] = uart_handler, [TWIM_IRQ] = twim_handler, [TIMER0_IRQ] = clock_handler},
};
