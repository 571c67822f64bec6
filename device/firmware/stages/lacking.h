/* lacking: which numbers have no value. */
#ifndef STAGES_LACKING_H
#define STAGES_LACKING_H

#include "stage.h"

/* Takes no parameters. */
extern const struct stage lacking_stage;

#endif
