/* prefer: the first of several signals that has a value. */
#ifndef STAGES_PREFER_H
#define STAGES_PREFER_H

#include "stage.h"

/* Has no parameters. */
extern const struct stage prefer_stage;

#endif
