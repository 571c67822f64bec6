/* What a board runs once it is up. A board's `main` fills in its struct board and hands over here. */
#ifndef APPLICATION_H
#define APPLICATION_H

#include <stdint.h>

#include "board.h"

/* The greatest clock of the I2C bus that every chip on it bears. */
extern const uint32_t application_i2c_hz;

_Noreturn void application(const struct board *board);

#endif
