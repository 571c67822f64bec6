/* From reset to main, and what happens on a fault: the same on every Cortex-M. What only a board knows it gives in the
   functions of the second half. */
#ifndef STARTUP_H
#define STARTUP_H

#include <stddef.h>
#include <stdint.h>

#include "board.h"

/* There is one processor, so a board's context is NULL. */

typedef void (*interrupt_handler)(void);

/* A board's table of interrupts lies behind the vectors of the processor. */
#define INTERRUPTS __attribute__((section(".interrupts"), used)) const interrupt_handler

/* Most bytes of stack used so far. */
size_t startup_stack_used(void *context);
/* Leave a loader for the firmware whose vectors lie there: interrupts off and none pending, its stack, its entry. The
   board's devices have to be silent. */
_Noreturn void startup_leave_for(uint32_t vectors);

/* The rest is a board's.

   First thing after a reset, before variables have their values: what has to be on for code to run well. */
void startup_board(void);
/* SysTick, where a board uses it. */
void systick_handler(void);
/* The processor cannot go on, or the watchdog bit by an NMI: restart, as one that the watchdog made. `frame` is what
   was pushed (r0-r3, r12, lr, pc, xpsr), NULL where the stack had no room for it; `exception` is its number. */
_Noreturn void startup_fault(const uint32_t *frame, uint32_t exception);
/* Why it started, for a loader: what it starts asks again. */
enum reset_cause startup_peek_cause(void);
/* Why it started; call it once. */
enum reset_cause startup_reset_cause(void);
/* Start again, remembering that the software asked for it. */
_Noreturn void startup_reset(void *context);

#endif
