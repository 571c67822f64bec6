/* Microseconds that go on over resets, and sleeping. There is one clock, so a board's context is NULL. Each board has
   its own. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* The oscillators that the board runs from, and a timer of microseconds. */
void clock_start(void);
/* No interrupt of it any more. */
void clock_stop(void);
uint64_t clock_now_us(void *context);
/* Sleep until that time, or until an interrupt has made `awake` true. */
void clock_sleep_until_us(uint64_t time_us, bool (*awake)(void));

/* Of the timer that wakes. */
void clock_handler(void);

#endif
