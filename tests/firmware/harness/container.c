/* core/container.c behind plain arrays. What would run code is not called: a container is a microcontroller's. */
#include "container.h"

#include <string.h>

/* stages: rows as a container's, which the firmware has. Whether it suits, and the sentence; where it does, its tables
 * are put into `room` too. */
int shim_container_open(const uint8_t *data, size_t size, const char *target, uint32_t structures,
                        const uint8_t *sensors_sha256, const void *stages, size_t stage_count, uint8_t *room,
                        size_t room_bytes, size_t kept_bytes, char sentence[240]) {
  static struct container_offer offers[64];
  struct container container;
  struct text reason;
  const struct container_room left = {.at = room, .bytes = (uint32_t)room_bytes, .kept_bytes = (uint32_t)kept_bytes};
  struct container_host host = {
      .target = target, .structures = structures, .offers = offers, .offer_count = stage_count};
  for (size_t i = 0; i < stage_count; i++) {
    memcpy(&offers[i].stage, (const uint8_t *)stages + i * sizeof offers[i].stage, sizeof offers[i].stage);
    offers[i].what = &offers[i];
  }
  memcpy(host.sensors_sha256, sensors_sha256, sizeof host.sensors_sha256);
  text_begin(&reason, sentence, 240);
  const bool suits = container_open(&container, data, size, &host, &left, &reason);
  if (suits) {
    (void)container_load(&container, &host, &left);
  }
  return suits;
}
