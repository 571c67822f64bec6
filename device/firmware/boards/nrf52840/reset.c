/* Interrupts, what is on from the start, and why the board started. */
#include "clock.h"
#include "registers.h"
#include "startup.h"
#include "twim.h"
#include "uart.h"

#define ASKED_FOR 0x41534B21U
#define FAULTED 0x46415521U

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

_Noreturn void startup_reset(void *context) {
  (void)context;
  state = ASKED_FOR;
  system_reset();
}

_Noreturn void startup_fault(const uint32_t *frame, uint32_t exception) {
  (void)frame;
  (void)exception;
  state = FAULTED;
  system_reset();
}

void startup_board(void) {
  SCB_CPACR |= SCB_CPACR_FPU;
  SCB_CCR |= SCB_CCR_DIVIDE_BY_ZERO_TRAP;
  NVMC_CACHE = NVMC_CACHE_ON;
  barrier();
}

INTERRUPTS interrupts[] = {[UARTE_IRQ] = uart_handler, [TWIM_IRQ] = twim_handler, [TIMER0_IRQ] = clock_handler};
