/* Which board this is. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>

/* Whether this is a simulation, and no silicon. */
bool identity_is_simulated(void);
/* The flash chip's number in hexadecimal, or in decimal after "SIM-" where a simulator gave it. */
const char *identity_serial(void);

#endif
