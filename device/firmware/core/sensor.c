/* FNV-1a, 64 bits. */
#include "sensor.h"

#include "bytes.h"

#define BASIS 0xCBF29CE484222325ULL
#define PRIME 0x100000001B3ULL

void sensor_route(const struct sensor *sensor, const struct sensor_context *context, struct bus *bus) {
  bus->switchboard = context->switchboard;
  bus->way = sensor->way;
}

void sensor_own_id(const struct sensor *sensor, const struct board *board, uint8_t id[SENSOR_ID_BYTES]) {
  uint64_t hash = BASIS;
  for (const char *letter = board->serial; *letter != '\0'; letter++) {
    hash = (hash ^ (uint8_t)*letter) * PRIME;
  }
  store_be64(id, (hash ^ sensor->number) * PRIME);
}
