/* Microseconds that go on over resets, and sleeping. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

void clock_start(void);
uint64_t clock_now_us(void);
/* Sleep until that time, or until an interrupt has made `awake` true. */
void clock_sleep_until_us(uint64_t time_us, bool (*awake)(void));

void clock_systick_handler(void);

#endif
