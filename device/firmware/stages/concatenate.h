/* concatenate: several signals as one. */
#ifndef STAGES_CONCATENATE_H
#define STAGES_CONCATENATE_H

#include "stage.h"

/* Has no parameters. */
extern const struct stage concatenate_stage;

#endif
