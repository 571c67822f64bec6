#include "stream_group.h"

#include <string.h>

#include "group_answer.h"

#define SHORTEST_LEASE_MS 100U
#define LONGEST_KEY_INTERVAL 32767U
#define FASTEST_HZ 1e6F /* far above what any sensor has */

/* The optional key interval; 0 where it is missing or null. */
static bool key_interval(const struct smp_request *request, struct smp_answer *answer, uint32_t *interval) {
  struct cbor_item item;
  *interval = 0;
  if (!cbor_find(request->body, request->body_size, "key_interval", &item) || item.kind == CBOR_NULL) {
    return true;
  }
  return smp_field_unsigned(request, answer, "key_interval", 1, LONGEST_KEY_INTERVAL, interval);
}

static void start(struct wearable *w, uint32_t lease_ms, uint16_t interval) {
  outbox_end(&w->outbox); /* what waits was not asked for by this host */
  outbox_grant(&w->outbox, lease_ms);
  w->engine.wanted_count = 0;
  w->engine.kept.wanted = true;
  w->alerts_wanted = true;
  wearable_restart_keys(w, interval);
}

void stream_group_stream(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct wearable *w = context;
  uint32_t op;
  uint32_t lease_ms = 0;
  uint32_t interval;
  if (!smp_field_unsigned(request, answer, "op", STREAM_OP_STOP, STREAM_OP_RENEW, &op) ||
      !smp_field_unsigned_or(request, answer, "lease_ms", 0, UINT32_MAX, 0, &lease_ms) ||
      !key_interval(request, answer, &interval)) {
    return;
  }
  if (op == STREAM_OP_STOP) {
    lease_ms = 0;
    w->engine.wanted_count = 0;
    kept_forget(&w->engine.kept);
    w->rest_at_us = board_now_us(w->board) + WEARABLE_GRACE_US;
    outbox_end(&w->outbox);
  } else if (lease_ms < SHORTEST_LEASE_MS) {
    struct text *reason = smp_refuse(answer, SMP_INVALID);
    text_add(reason, "A lease of ");
    text_add_unsigned(reason, lease_ms);
    text_add(reason, " ms is too short; ask for ");
    text_add_unsigned(reason, SHORTEST_LEASE_MS);
    text_add(reason, " or more.");
    return;
  }
  lease_ms = lease_ms < STREAM_GROUP_LONGEST_LEASE_MS ? lease_ms : STREAM_GROUP_LONGEST_LEASE_MS;
  if (op == STREAM_OP_START) {
    start(w, lease_ms, (uint16_t)interval);
  } else if (op == STREAM_OP_RENEW) {
    if (outbox_left_ms(&w->outbox) == 0) {
      text_add(group_refuse(answer, GROUP_ERROR_NO_LEASE), "No stream runs that could be renewed; start one.");
      return;
    }
    outbox_grant(&w->outbox, lease_ms);
  }
  cbor_map(&answer->body, 2);
  put_unsigned(&answer->body, "time_us", board_now_us(w->board));
  put_unsigned(&answer->body, "lease_ms", lease_ms);
}

void stream_group_rate(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct wearable *w = context;
  uint32_t number;
  float wanted_hz;
  const struct sensor *sensor;
  if (!smp_field_number(request, answer, "rate_hz", &wanted_hz) ||
      !smp_field_unsigned_or(request, answer, "sensor", 0, UINT8_MAX, 0, &number) ||
      (sensor = group_sensor(w, answer, number)) == NULL) {
    return;
  }
  if (sensor->driver->set_rate == NULL) {
    struct text *reason = group_refuse(answer, GROUP_ERROR_BAD_RATE);
    text_add(reason, sensor->name);
    text_add(reason, " keeps the rate of its profile; sign a bundle with another one.");
    return;
  }
  if (wanted_hz > 0.0F && wanted_hz <= FASTEST_HZ &&
      !graph_allows_rate(&w->engine.graph, sensor->number, (uint32_t)(wanted_hz * 1000.0F + 0.5F))) {
    struct text *reason = group_refuse(answer, GROUP_ERROR_BAD_RATE);
    text_add(reason, "Stages of this firmware are made for the rate that ");
    text_add(reason, sensor->name);
    text_add(reason, " has in the profile; sign a bundle with another one.");
    return;
  }
  char sentence[SMP_REASON_BYTES];
  struct text reason;
  text_begin(&reason, sentence, sizeof sentence);
  enum group_error error = GROUP_ERROR_BAD_RATE;
  w->counters.sensor = sensor->number;
  const bool set = sensor->driver->set_rate(sensor, wanted_hz, &error, &reason);
  w->counters.sensor = NO_SENSOR;
  if (!set) {
    text_add(group_refuse(answer, error), sentence);
    return;
  }
  struct sensor_status now = {0};
  sensor->driver->status(sensor, &now);
  cbor_map(&answer->body, 2);
  put_unsigned(&answer->body, "sensor", number);
  put_number(&answer->body, "rate_hz", now.rate_hz);
}

/* Numbers of signals, none where the field is missing; false after a refusal. */
static bool take_signals(const struct wearable *w, const struct smp_request *request, struct smp_answer *answer,
                         uint8_t wanted[ENGINE_SIGNALS], uint8_t *count) {
  const uint8_t *at = NULL;
  struct cbor_item list;
  struct cbor_item item;
  *count = 0;
  if (!cbor_find(request->body, request->body_size, "signals", &list)) {
    return true;
  }
  if (!smp_field_items(request, answer, "signals", CBOR_ARRAY, &list)) {
    return false;
  }
  while (cbor_next(&list, &at, &item)) {
    if (item.kind != CBOR_UNSIGNED || item.number > UINT8_MAX || *count == ENGINE_SIGNALS) {
      text_add(smp_refuse(answer, SMP_INVALID), "\"signals\" is a list of at most 16 numbers of signals.");
      return false;
    }
    if (item.number >= w->profile->graph->signal_count) {
      struct text *reason = group_refuse(answer, GROUP_ERROR_NO_SUCH);
      text_add(reason, "There is no signal ");
      text_add_unsigned(reason, item.number);
      text_add(reason, "; they are numbered 0 to ");
      text_add_unsigned(reason, w->profile->graph->signal_count - 1U);
      text_add(reason, ".");
      return false;
    }
    wanted[(*count)++] = (uint8_t)item.number;
  }
  return true;
}

void stream_group_signals(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct wearable *w = context;
  uint8_t wanted[ENGINE_SIGNALS];
  uint8_t count;
  if (!take_signals(w, request, answer, wanted, &count)) {
    return;
  }
  if (count > 0 && outbox_left_ms(&w->outbox) == 0) {
    text_add(group_refuse(answer, GROUP_ERROR_NO_LEASE), "No stream runs that signals could come with; start one.");
    return;
  }
  memcpy(w->engine.wanted, wanted, sizeof wanted);
  w->engine.wanted_count = count;
  cbor_map(&answer->body, 1);
  cbor_text(&answer->body, "signals");
  cbor_array(&answer->body, count);
  for (uint8_t i = 0; i < count; i++) {
    cbor_unsigned(&answer->body, wanted[i]);
  }
}

void stream_group_feed(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct wearable *w = context;
  uint32_t number;
  struct cbor_item values;
  const struct sensor *sensor;
  if (!smp_field_unsigned(request, answer, "sensor", 0, UINT8_MAX, &number) ||
      !smp_field_bytes(request, answer, "values", &values) || (sensor = group_sensor(w, answer, number)) == NULL) {
    return;
  }
  char sentence[SMP_REASON_BYTES];
  struct text reason;
  text_begin(&reason, sentence, sizeof sentence);
  if (sensor->driver->feed == NULL) {
    struct text *why = group_refuse(answer, GROUP_ERROR_NO_SENSOR);
    text_add(why, sensor->name);
    text_add(why, " is a chip, which speaks for itself; feed a sensor of kind external.");
  } else if (values.size % 4 != 0 || values.size == 0 || values.size > 4U * MAX_FED) {
    struct text *why = group_refuse(answer, GROUP_ERROR_IMPLAUSIBLE);
    text_add(why, "A sample of ");
    text_add_unsigned(why, values.size);
    text_add(why, " bytes is no whole number of float32; send all.");
  } else if (outbox_left_ms(&w->outbox) == 0) {
    struct text *why = group_refuse(answer, GROUP_ERROR_NO_LEASE);
    text_add(why, "The wearable measures, and takes samples of ");
    text_add(why, sensor->name);
    text_add(why, ", while a stream runs; start one.");
  } else {
    switch (sensor->driver->feed(sensor, values.data, values.size / 4, &reason)) {
      case SENSOR_FED:
        cbor_map(&answer->body, 0);
        break;
      case SENSOR_FED_WRONG:
        text_add(group_refuse(answer, GROUP_ERROR_IMPLAUSIBLE), sentence);
        break;
      case SENSOR_FED_LATER: {
        struct text *why = smp_refuse(answer, SMP_BUSY);
        text_add(why, "Samples of ");
        text_add(why, sensor->name);
        text_add(why, " wait already; give this one again later.");
        break;
      }
    }
  }
}
