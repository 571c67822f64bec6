/* From reset to main, what happens on a fault, and why the board started. */
#ifndef STARTUP_H
#define STARTUP_H

#include <stddef.h>
#include <stdint.h>

#include "board.h"

/* There is one processor, so a board's context is NULL. */

/* Why it started, for a loader, as far as the chip alone knows: what it starts asks again. */
enum reset_cause startup_peek_cause(void);
/* Why it started; call it once. */
enum reset_cause startup_reset_cause(void);
/* Start again, remembering that the software asked for it. */
_Noreturn void startup_reset(void *context);
/* Most bytes of stack used so far. */
size_t startup_stack_used(void *context);

#endif
