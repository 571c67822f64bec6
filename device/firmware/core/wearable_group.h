/* SMP group 65: a wearable's own commands (docs/wire.md). */
#ifndef WEARABLE_GROUP_H
#define WEARABLE_GROUP_H

#include "smp.h"
#include "wearable.h"

/* The group for an SMP server; `wearable` must stay. */
struct smp_group wearable_group_commands(struct wearable *wearable);

#endif
