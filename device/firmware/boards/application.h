/* What a board runs once it is up. A board's `main` fills in its struct board and hands over here. */
#ifndef APPLICATION_H
#define APPLICATION_H

#include "board.h"

_Noreturn void application(const struct board *board);

#endif
