/* Microseconds that go on over resets, and sleeping. There is one clock, so a board's context is NULL. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

void clock_start(void);
void clock_stop(void);
uint64_t clock_now_us(void *context);
/* Sleep until that time, or until an interrupt has made `awake` true. */
void clock_sleep_until_us(uint64_t time_us, bool (*awake)(void));

void clock_handler(void);

#endif
