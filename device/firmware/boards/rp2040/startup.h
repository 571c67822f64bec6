/* From reset to main, what happens on a fault, and why the board started. There is one processor at work, so a board's
   context is NULL. */
#ifndef STARTUP_H
#define STARTUP_H

#include <stddef.h>

#include "board.h"

/* Scratch registers of the watchdog, which outlive all resets but that of the supply: what ran last, and where a fault
   stopped it. The boot ROM has 4 to 7 for itself. */
#define SCRATCH_STATE 0U
#define SCRATCH_FAULT 1U

/* Why it started, for a loader: what it starts asks again. */
enum reset_cause startup_peek_cause(void);
/* Why it started; call it once. */
enum reset_cause startup_reset_cause(void);
/* Start again, remembering that the software asked for it. */
_Noreturn void startup_reset(void *context);
/* Most bytes of stack used so far. */
size_t startup_stack_used(void *context);

#endif
