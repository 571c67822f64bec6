/* As thermo_core.sensors.external.kind reads blocks. */
#include "external.h"

#include <math.h>
#include <string.h>

#include "bytes.h"
#include "float32.h"
#include "own_identity.h"
#include "quality.h"

static struct external_state *of(const struct sensor *sensor) {
  return sensor->state;
}

static void init(const struct sensor *sensor, const struct sensor_context *context) {
  struct external_state *s = of(sensor);
  s->context = context;
  s->next_index = 0;
  s->waiting = false;
}

static uint64_t due_us(const struct sensor *sensor, uint64_t free_until_us) {
  (void)free_until_us;
  return of(sensor)->waiting ? 0 : UINT64_MAX;
}

static bool poll(const struct sensor *sensor, uint64_t free_until_us, struct sensor_block *block) {
  (void)free_until_us;
  struct external_state *s = of(sensor);
  if (!s->waiting) {
    return false;
  }
  s->waiting = false;
  *block = (struct sensor_block){.time_us = s->time_us, .index = s->next_index++};
  counters_add(s->context->counters, COUNTER_BLOCKS_CAPTURED, 1);
  return true;
}

static uint16_t elements_of(const struct sensor *sensor) {
  return ((const struct external_settings *)sensor->settings)->elements;
}

static size_t pack(const struct sensor *sensor, uint8_t *data) {
  const struct external_state *s = of(sensor);
  for (size_t i = 0; i < elements_of(sensor); i++) {
    store_le32(data + 4 * i, (uint32_t)float32_bits(s->values[i]));
  }
  return 4U * elements_of(sensor);
}

static bool read(const struct sensor *sensor, struct graph *graph, uint16_t flags, bool fresh) {
  const struct external_settings *settings = sensor->settings;
  const struct external_state *s = of(sensor);
  float *const values = graph_values(graph, sensor->signal);
  for (size_t i = 0; i < settings->elements; i++) {
    const float value = s->values[i];
    const bool outside = value < settings->low || value > settings->high;
    values[i] = outside || !isfinite(value) ? float32_nothing() : value;
    flags |= outside ? QUALITY_OUT_OF_RANGE : 0;
  }
  graph_put(graph, sensor->signal, flags, fresh);
  graph_begin(graph, (int64_t)s->time_us);
  return true;
}

static void status_of(const struct sensor *sensor, struct sensor_status *status) {
  own_identity(of(sensor)->context->board->serial, sensor->number, status->id);
  status->id_size = sizeof status->id;
  status->rate_hz = ((const struct external_settings *)sensor->settings)->rate_hz;
}

static enum sensor_fed feed(const struct sensor *sensor, const uint8_t *values, size_t count, struct text *reason) {
  struct external_state *s = of(sensor);
  if (count != elements_of(sensor)) {
    text_add(reason, "A sample of ");
    text_add(reason, sensor->name);
    text_add(reason, " has ");
    text_add_unsigned(reason, elements_of(sensor));
    text_add(reason, " numbers, not ");
    text_add_unsigned(reason, count);
    text_add(reason, "; send all of them.");
    return SENSOR_FED_WRONG;
  }
  const struct external_settings *settings = sensor->settings;
  for (size_t i = 0; i < count; i++) {
    const float value = correction_float(values + 4 * i);
    if (value < settings->low || value > settings->high) {
      text_add(reason, sensor->name);
      text_add(reason, " can be ");
      text_add_float(reason, settings->low, 2);
      text_add(reason, " to ");
      text_add_float(reason, settings->high, 2);
      text_add(reason, " and was given something else; correct it.");
      return SENSOR_FED_WRONG;
    }
  }
  if (s->waiting) {
    return SENSOR_FED_LATER;
  }
  for (size_t i = 0; i < count; i++) {
    s->values[i] = correction_float(values + 4 * i);
  }
  s->time_us = board_now_us(s->context->board);
  s->waiting = true;
  return SENSOR_FED;
}

const struct sensor_driver external_driver = {
    .kind = "external",
    .init = init,
    .due_us = due_us,
    .poll = poll,
    .pack = pack,
    .read = read,
    .status = status_of,
    .feed = feed,
};
