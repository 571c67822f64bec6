/* What the parts of a wearable's main loop need of one another. */
#ifndef WEARABLE_PARTS_H
#define WEARABLE_PARTS_H

#include "text.h"
#include "wearable.h"

/* Fill in what the commands of group 65 need of the main loop. */
void wearable_services_init(struct wearable *wearable);

/* Look after the picture sensor once: capture what is due, send it, and make a verdict of it. */
void wearable_poll_camera(struct wearable *wearable);

/* Whether the picture sensor's temperatures are in doubt. A calibration that was made with its very EEPROM has held
   them to a reference. */
bool wearable_is_doubtful(const struct wearable *wearable);

/* Add why they are, a sentence; nothing where they are not. */
void wearable_warning(const struct wearable *wearable, struct text *sentence);

/* Use the stored calibration that belongs to the sensor at hand, or none. */
void wearable_use_calibration(struct wearable *wearable);

#endif
