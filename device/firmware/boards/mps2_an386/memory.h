/* Where the board and thermo-sim meet: the 16 MB PSRAM, which the emulator backs by a file. */
#ifndef MEMORY_H
#define MEMORY_H

#include "shared_memory.h"

#define SHARED ((struct shared_memory *)0x21000000U)

#endif
