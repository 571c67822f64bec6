/* The watchdog resets the board four seconds after the last feeding. Once started nothing stops it, not even a reset by
   the software, so whoever comes next has to feed it. */
#include "watchdog.h"

#include "registers.h"

void watchdog_start(void) {
  if (WATCHDOG_RUNS == 0U) {
    WATCHDOG_CONFIG = WATCHDOG_CONFIG_SLEEP;
    WATCHDOG_RELOAD_VALUE = WATCHDOG_BITES_AFTER_S * WATCHDOG_HZ - 1U;
    WATCHDOG_START = 1;
  }
  WATCHDOG_RELOAD = WATCHDOG_RELOAD_KEY;
}

void watchdog_feed(void *context) {
  (void)context;
  WATCHDOG_RELOAD = WATCHDOG_RELOAD_KEY;
}
