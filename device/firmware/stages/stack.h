/* stack: several pictures as the channels of one. */
#ifndef STAGES_STACK_H
#define STAGES_STACK_H

#include "stage.h"

/* Has no parameters. */
extern const struct stage stack_stage;

#endif
