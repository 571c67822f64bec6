/* From reset to main, what happens on a fault, and why the board started. */
#ifndef STARTUP_H
#define STARTUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"

/* There is one processor, so a board's context is NULL. */

/* Why it started; call it once. */
enum reset_cause startup_reset_cause(void);
/* Start again, remembering that the software asked for it. */
_Noreturn void startup_reset(void *context);
/* Most bytes of stack used so far. */
size_t startup_stack_used(void *context);
/* Whether a simulator has marked this firmware as running on simulated sensors. */
bool startup_is_simulated(void);

#endif
