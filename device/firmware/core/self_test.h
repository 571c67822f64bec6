/* What a wearable can find out about itself: each check is a name, whether it passed, and a sentence. */
#ifndef SELF_TEST_H
#define SELF_TEST_H

#include "wearable.h"

#define SELF_TEST_ALL UINT32_MAX

/* Check a sensor, the models (the part after the last sensor) or all. Takes some pages' time, and feeds the watchdog
   meanwhile. */
void self_test_run(struct wearable *wearable, uint32_t part, struct sensor_results *results);

#endif
