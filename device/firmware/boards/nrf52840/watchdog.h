/* The watchdog: a main loop that hangs is restarted. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

void watchdog_start(void);
/* There is one, so a board's context is NULL. */
void watchdog_feed(void *context);

#endif
