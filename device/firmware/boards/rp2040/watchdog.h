/* The watchdog: a main loop that hangs is restarted. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

void watchdog_start(void);
void watchdog_feed(void);

#endif
