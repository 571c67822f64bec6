/* The way to a sensor's chip. */
#include "sensor.h"

void sensor_route(const struct sensor *sensor, const struct sensor_context *context, struct bus *bus) {
  bus->switchboard = context->switchboard;
  bus->way = sensor->way;
}
