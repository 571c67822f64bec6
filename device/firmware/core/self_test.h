/* What a wearable can find out about itself: each check is a name, whether it passed, and a sentence. */
#ifndef SELF_TEST_H
#define SELF_TEST_H

#include "wearable.h"

/* Check sensors and models. Takes some pages' time, and feeds the watchdog meanwhile. */
void self_test_run(struct wearable *wearable, struct sensor_results *results);

#endif
