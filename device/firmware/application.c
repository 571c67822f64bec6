/* The wearable on whatever board it is given. */
#include "application.h"

#include "wearable.h"
#include "wearable_profile.h"

static struct wearable wearable;
static struct wearable_sensor sensors[WEARABLE_SENSORS];

_Noreturn void application(const struct board *board) {
  wearable_init(&wearable, board, &wearable_profile, sensors);
  for (;;) {
    wearable_step(&wearable);
  }
}
