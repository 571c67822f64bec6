/* Vector table, from reset to main, what happens on a fault, and why the board started. */
#include "startup.h"

#include <stdint.h>

#include "clock.h"
#include "i2c.h"
#include "registers.h"
#include "uart.h"
#include "usb.h"

#define PAINT 0xC5C5C5C5U
#define RUNNING 0x52554E21U
#define ASKED_FOR 0x41534B21U

extern uint32_t stack_bottom[], stack_top[], data_source[], data_start[], data_end[], bss_start[], bss_end[];
int main(void);

/* The reason is 0 where the supply or the reset pin started it. The boot ROM itself resets through the watchdog, after
   it wrote a firmware: then nothing of ours stands in the scratch registers. */
enum reset_cause startup_peek_cause(void) {
  const uint32_t before = WATCHDOG_REASON == 0U ? 0U : WATCHDOG_SCRATCH(SCRATCH_STATE);
  return before == ASKED_FOR ? RESET_SOFTWARE : before == RUNNING ? RESET_WATCHDOG : RESET_POWER;
}

enum reset_cause startup_reset_cause(void) {
  const enum reset_cause cause = startup_peek_cause();
  WATCHDOG_SCRATCH(SCRATCH_STATE) = RUNNING;
  if (cause == RESET_POWER) {
    WATCHDOG_SCRATCH(SCRATCH_FAULT) = 0;
  }
  return cause;
}

/* As the watchdog would: everything but the oscillators. */
static _Noreturn void restart(void) {
  PSM_WDSEL = PSM_ALL_BUT_OSCILLATORS;
  WATCHDOG_CTRL = WATCHDOG_TRIGGER;
  for (;;) {
  }
}

_Noreturn void startup_reset(void *context) {
  (void)context;
  WATCHDOG_SCRATCH(SCRATCH_STATE) = ASKED_FOR;
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

__attribute__((used)) static _Noreturn void start(void) {
  for (uint32_t *to = data_start, *from = data_source; to < data_end;) {
    *to++ = *from++;
  }
  for (uint32_t *to = bss_start; to < bss_end;) {
    *to++ = 0;
  }
  (void)main();
  startup_reset(NULL);
}

/* Paints the stack while nothing lies on it, so in assembly. A loader's table of vectors is left behind here. */
__attribute__((naked, used, noreturn)) void reset_handler(void);
__attribute__((naked, used, noreturn)) void reset_handler(void) {
  __asm__ volatile(
      "cpsid i\n"
      "ldr r0, =vectors\n"
      "ldr r1, =0xE000ED08\n"
      "str r0, [r1]\n"
      "ldr r0, =stack_bottom\n"
      "ldr r1, =stack_top\n"
      "mov sp, r1\n"
      "ldr r2, =%c0\n"
      "1: str r2, [r0]\n"
      "adds r0, #4\n"
      "cmp r0, r1\n"
      "blo 1b\n"
      "bl start\n"
      ".ltorg\n" ::"i"(PAINT));
}

/* `frame` is what the processor pushed (r0-r3, r12, lr, pc, xpsr), where there was stack left to push it to. */
__attribute__((used)) static _Noreturn void fault(const uint32_t *frame) {
  const int readable = frame >= stack_bottom && frame + 8 <= stack_top;
  WATCHDOG_SCRATCH(SCRATCH_FAULT) = readable ? frame[6] : UINT32_MAX;
  restart();
}

/* Comes of anything the processor cannot do. The stack may be used up, so begin a new one. */
__attribute__((naked, used)) static void fault_handler(void) {
  __asm__ volatile(
      "mov r0, sp\n"
      "ldr r1, =stack_top\n"
      "mov sp, r1\n"
      "bl fault\n"
      ".ltorg\n");
}

typedef void (*handler)(void);

struct vectors {
  uint32_t *stack;
  handler core[15];
  handler interrupts[32];
};

extern const struct vectors vectors;
__attribute__((section(".vectors"), used)) const struct vectors vectors = {
    .stack = stack_top,
    .core = {reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
             fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
             fault_handler},
    .interrupts = {[TIMER_IRQ] = clock_handler,
                   [USB_IRQ] = usb_handler,
                   [UART0_IRQ] = uart_handler,
                   [I2C0_IRQ] = i2c_handler,
                   [I2C0_IRQ + 1] = i2c_handler},
};
