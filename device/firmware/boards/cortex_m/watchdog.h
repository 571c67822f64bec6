/* The watchdog: a main loop that hangs is restarted, four seconds after the last feeding. There is one, so a board's
   context is NULL. Each board has its own. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#define WATCHDOG_BITES_AFTER_S 4U

void watchdog_start(void);
void watchdog_feed(void *context);

#endif
