/* A wearable at work: sensors, findings, telemetry and management in one main loop. */
#ifndef AGENT_H
#define AGENT_H

#include "wearable.h"

/* Start everything; the board runs already. `sensors` has room for the profile's. */
void agent_init(struct wearable *wearable, const struct board *board, const struct profile *profile,
                struct wearable_sensor *sensors);

/* Do what is due, then sleep until something else is. Call it for ever. */
void agent_step(struct wearable *wearable);

#endif
