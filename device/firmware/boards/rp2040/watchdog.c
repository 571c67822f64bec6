/* The watchdog: four seconds after the last feeding it resets all but the oscillators. */
#include "watchdog.h"

#include "registers.h"

/* It counts two down each microsecond (erratum RP2040-E1), from at most 24 bits. */
#define BITES_AFTER (WATCHDOG_BITES_AFTER_S * 2000000U)

void watchdog_start(void) {
  PSM_WDSEL = PSM_ALL_BUT_OSCILLATORS;
  WATCHDOG_LOAD = BITES_AFTER;
  WATCHDOG_CTRL = WATCHDOG_ENABLE | WATCHDOG_PAUSE_IN_DEBUG;
}

void watchdog_feed(void *context) {
  (void)context;
  WATCHDOG_LOAD = BITES_AFTER;
}
