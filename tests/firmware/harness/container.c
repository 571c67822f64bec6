/* core/container.c behind plain arrays. What would run code is not called: a container is a microcontroller's. */
#include "container.h"

#include <string.h>

static char known[16][CONTAINER_NAME_BYTES];
static size_t known_count;

static bool has_stage(const char *name) {
  for (size_t i = 0; i < known_count; i++) {
    if (strcmp(known[i], name) == 0) {
      return true;
    }
  }
  return false;
}

/* names: known_count of CONTAINER_NAME_BYTES; stages: rows as a container's. Whether it suits, and the sentence. */
int shim_container_open(const uint8_t *data, size_t size, const char *target, size_t arena_bytes,
                        const uint8_t *sensors_sha256, const void *stages, size_t stage_count, const char *names,
                        size_t names_count, char sentence[240]) {
  struct container container;
  struct text reason;
  struct container_host host = {.target = target,
                                .arena_bytes = arena_bytes,
                                .stages = stages,
                                .stage_count = stage_count,
                                .has_stage = has_stage};
  known_count = names_count;
  memcpy(known, names, names_count * sizeof known[0]);
  memcpy(host.sensors_sha256, sensors_sha256, sizeof host.sensors_sha256);
  text_begin(&reason, sentence, 240);
  return container_open(&container, data, size, &host, &reason);
}
