/* Interrupts, and why the board started. */
#include "clock.h"
#include "i2c.h"
#include "registers.h"
#include "startup.h"
#include "uart.h"
#include "usb.h"

/* Scratch registers of the watchdog, which outlive all resets but that of the supply: what ran last, and where a fault
   stopped it. The boot ROM has 4 to 7 for itself. */
#define SCRATCH_STATE 0U
#define SCRATCH_FAULT 1U
#define RUNNING 0x52554E21U
#define ASKED_FOR 0x41534B21U
#define FRAME_PC 6

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

_Noreturn void startup_fault(const uint32_t *frame, uint32_t exception) {
  (void)exception;
  WATCHDOG_SCRATCH(SCRATCH_FAULT) = frame != NULL ? frame[FRAME_PC] : UINT32_MAX;
  restart();
}

/* The boot ROM and the second stage have done it. */
void startup_board(void) {
}

INTERRUPTS interrupts[] = {[TIMER_IRQ] = clock_handler,
                           [USB_IRQ] = usb_handler,
                           [UART0_IRQ] = uart_handler,
                           [I2C0_IRQ] = i2c_handler,
                           [I2C0_IRQ + 1] = i2c_handler};
