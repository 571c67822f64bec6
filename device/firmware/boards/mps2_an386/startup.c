/* Vector table, from reset to main, what happens on a fault, and why the board started. */
#include "startup.h"

#include "clock.h"
#include "doorbell.h"
#include "memory.h"
#include "registers.h"
#include "uart.h"

#define PAINT 0xC5C5C5C5U
#define RUNNING 0x52554E21U
#define ASKED_FOR 0x41534B21U

extern uint32_t stack_bottom[], stack_top[], data_source[], data_start[], data_end[], bss_start[], bss_end[];
int main(void);

/* RUNNING where nothing announced the reset: then the watchdog bit, or a fault did what it would have done. It lies
   where loader and firmware both have it. */
static uint32_t state __attribute__((section(".reset_state")));

enum reset_cause startup_peek_cause(void) {
  return state == ASKED_FOR ? RESET_SOFTWARE : state == RUNNING ? RESET_WATCHDOG : RESET_POWER;
}

enum reset_cause startup_reset_cause(void) {
  const enum reset_cause cause = startup_peek_cause();
  state = RUNNING;
  if (cause == RESET_POWER) {
    SHARED->report = (struct board_report){0};
  }
  SHARED->report.starts++;
  return cause;
}

static _Noreturn void restart(void) {
  barrier();
  SCB_AIRCR = SCB_AIRCR_RESET;
  for (;;) {
  }
}

_Noreturn void startup_reset(void *context) {
  (void)context;
  state = ASKED_FOR;
  restart();
}

size_t startup_stack_used(void *context) {
  (void)context;
  const uint32_t *word = stack_bottom;
  while (word < stack_top && *word == PAINT) {
    word++;
  }
  return (size_t)(stack_top - word) * sizeof *word;
}

void startup_report(void) {
  SHARED->report.stack_used = (uint32_t)startup_stack_used(NULL);
  SHARED->report.slept_us = clock_slept_us();
  SHARED->report.now_us = clock_now_us(NULL);
}

__attribute__((used)) static _Noreturn void start(void) {
  SCB_CPACR |= SCB_CPACR_FPU;
  SCB_CCR |= SCB_CCR_DIVIDE_BY_ZERO_TRAP;
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
      "ldr r0, =stack_bottom\n"
      "ldr r1, =stack_top\n"
      "mov sp, r1\n"
      "ldr r2, =%c0\n"
      "1: str r2, [r0], #4\n"
      "cmp r0, r1\n"
      "blo 1b\n"
      "b start\n"
      ".ltorg\n" ::"i"(PAINT));
}

/* `frame` is what the processor pushed (r0-r3, r12, lr, pc, xpsr), where there was stack left to push it to. */
__attribute__((used)) static _Noreturn void fault(const uint32_t *frame, uint32_t exception) {
  struct board_report *report = &SHARED->report;
  report->faults++;
  report->exception = exception;
  report->cfsr = SCB_CFSR;
  const int readable = frame >= stack_bottom && frame + 8 <= stack_top;
  report->lr = readable ? frame[5] : 0;
  report->pc = readable ? frame[6] : 0;
  restart();
}

/* Comes of anything the processor cannot do, and of the watchdog (NMI). The stack may be used up, so begin a new one.
 */
__attribute__((naked, used)) static void fault_handler(void) {
  __asm__ volatile(
      "mov r0, sp\n"
      "mrs r1, ipsr\n"
      "ldr r2, =stack_top\n"
      "mov sp, r2\n"
      "b fault\n"
      ".ltorg\n");
}

typedef void (*handler)(void);

struct vectors {
  uint32_t *stack;
  handler core[15];
  handler interrupts[32];
};

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    .stack = stack_top,
    .core = {reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
             fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
             clock_systick_handler},
    .interrupts = {[UART0_RX_IRQ] = uart_handler, [UART0_TX_IRQ] = uart_handler, [UART1_RX_IRQ] = doorbell_handler},
};
