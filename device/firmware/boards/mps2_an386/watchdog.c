/* The watchdog: four seconds after the last feeding it raises the NMI, whose handler notes where the program was and
   restarts; where not even that works, the watchdog itself resets the board after four more. */
#include "watchdog.h"

#include "registers.h"

void watchdog_start(void) {
  WATCHDOG_LOCK = WATCHDOG_UNLOCK_KEY;
  WATCHDOG->load = WATCHDOG_BITES_AFTER_S * CORE_CLOCK_HZ;
  WATCHDOG->control = WATCHDOG_CONTROL_NMI | WATCHDOG_CONTROL_RESET;
}

void watchdog_feed(void *context) {
  (void)context;
  WATCHDOG->clear = 1;
}
