/* The bootloader on whatever board it is given: starts the firmware in one of two slots, or hears a host on the serial
   line until there is one to start. */
#ifndef LOADER_H
#define LOADER_H

#include "board.h"
#include "slots.h"

/* Leave everything as after a reset, but for the watchdog, and start what has its vectors there. Does not return. */
typedef void (*loader_start)(uint32_t vectors);

/* `board` has a serial line, a clock, a watchdog that is armed, and `reset`; neither I2C nor `flash` is used. `pair` is
   NULL where the flash does not suit: then hosts are told so. */
_Noreturn void loader_run(const struct board *board, const struct slot_pair *pair, loader_start start);

#endif
