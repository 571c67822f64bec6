/* The wearable on whatever board it is given. */
#include "application.h"

#include "agent.h"
#include "wearable_profile.h"

const uint32_t application_i2c_hz = WEARABLE_I2C_HZ;

static struct wearable wearable;
static struct wearable_sensor sensors[WEARABLE_SENSORS];

_Noreturn void application(const struct board *board) {
  /* Before the graph has anything in its memory, which a container's may take. */
  const struct update *update = update_open(board, &wearable_profile);
  agent_init(&wearable, board, update != NULL ? update->profile : &wearable_profile, sensors);
  agent_offer_update(&wearable, update);
  for (;;) {
    agent_step(&wearable);
  }
}
