/* From reset to main, what happens on a fault, and why the board started. */
#ifndef STARTUP_H
#define STARTUP_H

#include <stddef.h>
#include <stdint.h>

#include "board.h"

/* What a debugger finds about the last fault or bite of the watchdog; survives resets. */
struct last_fault {
  uint32_t count;
  uint32_t exception; /* number: 2 watchdog, 3 HardFault */
  uint32_t pc;
  uint32_t lr;
  uint32_t cfsr; /* configurable fault status register */
};

extern struct last_fault startup_last_fault;

/* Why it started; call it once. */
enum reset_cause startup_reset_cause(void);
/* Start again, remembering that the software asked for it. */
_Noreturn void startup_reset(void);
/* Most bytes of stack used so far. */
size_t startup_stack_used(void);

#endif
