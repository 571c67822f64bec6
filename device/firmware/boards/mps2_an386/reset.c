/* Interrupts, what is on from the start, and why the board started. */
#include "doorbell.h"
#include "registers.h"
#include "report.h"
#include "startup.h"
#include "uart.h"

#define RUNNING 0x52554E21U
#define ASKED_FOR 0x41534B21U

/* RUNNING where nothing announced the reset: then the watchdog bit, or a fault did what it would have done. It lies
   where loader and firmware both have it. */
static uint32_t state __attribute__((section(".reset_state")));

enum reset_cause startup_peek_cause(void) {
  return state == ASKED_FOR ? RESET_SOFTWARE : state == RUNNING ? RESET_WATCHDOG : RESET_POWER;
}

enum reset_cause startup_reset_cause(void) {
  const enum reset_cause cause = startup_peek_cause();
  state = RUNNING;
  report_start(cause == RESET_POWER);
  return cause;
}

_Noreturn void startup_reset(void *context) {
  (void)context;
  state = ASKED_FOR;
  system_reset();
}

_Noreturn void startup_fault(const uint32_t *frame, uint32_t exception) {
  report_fault(frame, exception);
  system_reset();
}

void startup_board(void) {
  SCB_CPACR |= SCB_CPACR_FPU;
  SCB_CCR |= SCB_CCR_DIVIDE_BY_ZERO_TRAP;
  barrier();
}

INTERRUPTS interrupts[] = {
    [UART0_RX_IRQ] = uart_handler, [UART0_TX_IRQ] = uart_handler, [UART1_RX_IRQ] = doorbell_handler};
