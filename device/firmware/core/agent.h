/* A wearable at work: sensors, findings, telemetry and management in one main loop. */
#ifndef AGENT_H
#define AGENT_H

#include "update.h"
#include "wearable.h"

/* Start everything; the board runs already. `sensors` has room for the profile's. */
void agent_init(struct wearable *wearable, const struct board *board, const struct profile *profile,
                struct wearable_sensor *sensors);

/* Let a host exchange the firmware, where a bootloader started it; `update` may be NULL. After agent_init. */
void agent_offer_update(struct wearable *wearable, const struct update *update);

/* Do what is due, then sleep until something else is. Call it for ever. */
void agent_step(struct wearable *wearable);

#endif
