/* All stages by the name a profile calls them. */
#ifndef STAGES_REGISTRY_H
#define STAGES_REGISTRY_H

#include <stddef.h>

#include "stage.h"

/* One of that name; NULL where there is none. */
const struct stage *registry_find(const char *name);

/* The stages one after another; NULL behind the last. */
const struct stage *registry_stage(size_t number);

#endif
