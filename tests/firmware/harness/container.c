/* core/container.c behind plain arrays. What would run code is not called: a container is a microcontroller's. */
#include "container.h"

#include <string.h>

/* elements: of a network's inputs, then of its output; stages: rows as a container's. Whether it suits, and the
 * sentence. */
int shim_container_open(const uint8_t *data, size_t size, const char *target, size_t arena_bytes,
                        const uint32_t *elements, size_t inputs, const uint8_t *sensors_sha256, const void *stages,
                        size_t stage_count, char sentence[240]) {
  struct container container;
  struct text reason;
  const struct container_place place = {
      .bytes = (uint32_t)arena_bytes, .elements = elements, .input_count = (uint32_t)inputs};
  const struct container_place *const places[] = {&place};
  struct container_host host = {
      .target = target, .places = places, .place_count = 1, .stages = stages, .stage_count = stage_count};
  memcpy(host.sensors_sha256, sensors_sha256, sizeof host.sensors_sha256);
  text_begin(&reason, sentence, 240);
  return container_open(&container, data, size, &host, &reason);
}
