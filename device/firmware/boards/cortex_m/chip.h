/* What a board with a Cortex-M does to come up, in its own chip.c. The mains of its firmware and of its loader are the
   same for all. */
#ifndef CHIP_H
#define CHIP_H

#include "board.h"

/* Clock, watchdog and serial line, with interrupts off; name, platform, processor, serial number and `simulated`. */
void chip_start(struct board *board);
/* The rest, which a loader has no use for: I2C, and the flash that is kept. */
void chip_start_sensors(struct board *board);
/* What every board has of clock.h, line.h, watchdog.h and startup.h. */
void chip_common(struct board *board);

#endif
