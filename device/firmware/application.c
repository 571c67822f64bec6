/* The wearable on whatever board it is given. */
#include "application.h"

#include "wearable.h"
#include "wearable_profile.h"

static struct wearable wearable;

_Noreturn void application(const struct board *board) {
  wearable_init(&wearable, board, &wearable_profile);
  for (;;) {
    wearable_step(&wearable);
  }
}
