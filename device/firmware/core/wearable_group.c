/* Group 65: who the device is, the stream, rates, signals, what a host gives. Corrections are in correction_group.c,
   what is learned of the wearer in baseline_group.c. */
#include "wearable_group.h"

#include <math.h>
#include <string.h>

#include "baseline_group.h"
#include "correction_group.h"
#include "float32.h"
#include "group_answer.h"
#include "image_group.h"
#include "self_test.h"

#define LONGEST_LEASE_MS 10000U
#define SHORTEST_LEASE_MS 100U
#define LONGEST_KEY_INTERVAL 32767U
#define FASTEST_HZ 1e6F /* far above what any sensor has */
#define WARNING_BYTES 128

static void put_sensor(struct cbor_writer *body, const struct wearable *w, const struct sensor *sensor) {
  char warning_bytes[WARNING_BYTES];
  struct text warning;
  struct sensor_status now = {0};
  sensor->driver->status(sensor, &now);
  text_begin(&warning, warning_bytes, sizeof warning_bytes);
  wearable_warning(w, sensor->number, &warning);
  cbor_map(body, 7);
  cbor_text(body, "id");
  cbor_bytes(body, now.id, now.id_size);
  put_text(body, "kind", sensor->driver->kind);
  put_text(body, "fault", now.fault != NULL ? now.fault : "");
  put_number(body, "rate_hz", now.rate_hz);
  put_text(body, "warning", warning_bytes);
  put_unsigned(body, "constants", now.constants);
  put_bool(body, "corrected", sensor->driver->corrected != NULL && sensor->driver->corrected(sensor));
}

/* Room for the keys after the sensors, and for a sensor whose texts are the longest. */
#define HELLO_REST_BYTES 320
#define HELLO_SENSOR_BYTES 400

/* Sensors from `first` on, one and as many more as there is room for. */
static void put_sensors(struct cbor_writer *body, const struct wearable *w, uint32_t first) {
  const size_t opened = cbor_open_array(body);
  uint32_t count = 0;
  for (uint32_t i = first; i < w->profile->sensor_count && count < HELLO_SENSORS; i++) {
    if (count > 0 && body->capacity - body->used < HELLO_SENSOR_BYTES + HELLO_REST_BYTES) {
      break;
    }
    put_sensor(body, w, &w->profile->sensors[i]);
    count++;
  }
  cbor_close_array(body, opened, count);
}

/* Maps are written with their keys in canonical order: shorter ones first, then by their bytes. */
static void hello(void *context, const struct smp_request *request, struct smp_answer *answer) {
  const struct wearable *w = context;
  uint32_t first;
  if (!smp_field_unsigned_or(request, answer, "first", 0, UINT8_MAX, 0, &first)) {
    return;
  }
  const struct profile *profile = w->profile;
  const struct bundle_profile *bundle = profile->bundle;
  const struct board *board = w->board;
  struct cbor_writer *body = &answer->body;
  char version_bytes[32];
  struct text version;
  text_begin(&version, version_bytes, sizeof version_bytes);
  if (bundle != NULL) {
    image_group_version(bundle, &version);
  }
  cbor_map(body, 16);
  put_text(body, "name", board->name);
  put_text(body, "bundle", version_bytes);
  put_text(body, "serial", board->serial);
  cbor_text(body, "waived");
  cbor_array(body, bundle != NULL ? bundle->waived_count : 0);
  for (size_t i = 0; bundle != NULL && i < bundle->waived_count; i++) {
    cbor_text(body, bundle->waived[i]);
  }
  put_text(body, "profile", profile->name);
  cbor_text(body, "sensors");
  put_sensors(body, w, first);
  put_unsigned(body, "time_us", board_now_us(board));
  put_text(body, "platform", board->platform);
  put_unsigned(body, "protocol", PROTOCOL);
  put_text(body, "software", WEARABLE_SOFTWARE);
  put_bool(body, "simulated", board->simulated);
  put_unsigned(body, "lease_max_ms", LONGEST_LEASE_MS);
  put_unsigned(body, "sensor_count", profile->sensor_count);
  cbor_text(body, "bundle_sha256");
  cbor_bytes(body, bundle != NULL ? bundle->image_sha256 : NULL, bundle != NULL ? sizeof bundle->image_sha256 : 0);
  cbor_text(body, "profile_sha256");
  cbor_bytes(body, profile->cbor_sha256, sizeof profile->cbor_sha256);
  put_bool(body, "development_key", bundle != NULL && bundle->development_key);
}

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

static void stream(void *context, const struct smp_request *request, struct smp_answer *answer) {
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
  lease_ms = lease_ms < LONGEST_LEASE_MS ? lease_ms : LONGEST_LEASE_MS;
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

static void read_constants(void *context, const struct smp_request *request, struct smp_answer *answer) {
  const struct wearable *w = context;
  struct group_part wanted;
  struct sensor_status now = {0};
  const struct sensor *sensor;
  if (!group_wanted(request, answer, &wanted) || (sensor = group_sensor(w, answer, wanted.sensor)) == NULL) {
    return;
  }
  sensor->driver->status(sensor, &now);
  const size_t whole = sensor->driver->constants_size != NULL ? sensor->driver->constants_size(sensor) : 0;
  if (sensor->driver->constants_size != NULL && whole == 0) {
    group_refuse_absent(answer, sensor, &now);
    return;
  }
  size_t size;
  uint8_t *part = group_put_part(answer, &wanted, whole, now.constants, &size);
  if (part != NULL && size > 0) {
    sensor->driver->constants(sensor, wanted.offset, part, size);
  }
}

static void read_profile(void *context, const struct smp_request *request, struct smp_answer *answer) {
  const struct wearable *w = context;
  struct group_part wanted;
  if (group_wanted(request, answer, &wanted)) {
    group_put_bytes(answer, &wanted, w->profile->cbor, w->profile->cbor_size);
  }
}

#define KEPT_PART_BYTES 1024U /* longest part of kept findings in one answer */

static void read_kept(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct wearable *w = context;
  struct cbor_writer *body = &answer->body;
  uint32_t first;
  if (!smp_field_unsigned_or(request, answer, "first", 0, UINT32_MAX, 0, &first)) {
    return;
  }
  const size_t size = kept_read(&w->engine.kept, &first, w->scratch, KEPT_PART_BYTES);
  cbor_map(body, 4);
  put_unsigned(body, "end", kept_end(&w->engine.kept));
  cbor_text(body, "data");
  cbor_bytes(body, w->scratch, size);
  put_unsigned(body, "first", first);
  put_unsigned(body, "bundle", w->engine.bundle);
}

static void add_result(struct sensor_results *results, const char *name, bool passed, const char *detail) {
  struct group_results *all = results->context;
  char full_bytes[96];
  struct text full;
  text_begin(&full, full_bytes, sizeof full_bytes);
  if (results->sensor != NULL) {
    text_add(&full, results->sensor->name);
    text_add(&full, ": ");
  }
  text_add(&full, name);
  cbor_map(all->body, 3);
  put_text(all->body, "name", full_bytes);
  put_text(all->body, "detail", detail);
  put_bool(all->body, "passed", passed);
  all->count++;
}

/* The optional part, a sensor or the models after the last one; SELF_TEST_ALL where it is missing or null. */
static bool part_to_test(const struct wearable *w, const struct smp_request *request, struct smp_answer *answer,
                         uint32_t *part) {
  struct cbor_item item;
  *part = SELF_TEST_ALL;
  if (!cbor_find(request->body, request->body_size, "part", &item) || item.kind == CBOR_NULL) {
    return true;
  }
  if (!smp_field_unsigned(request, answer, "part", 0, UINT8_MAX, part)) {
    return false;
  }
  if (*part > w->profile->sensor_count) {
    struct text *reason = group_refuse(answer, GROUP_ERROR_NO_SENSOR);
    text_add(reason, "There is no part ");
    text_add_unsigned(reason, *part);
    text_add(reason, " to test; sensors are 0 to ");
    text_add_unsigned(reason, w->profile->sensor_count - 1U);
    text_add(reason, ", the models come after them.");
    return false;
  }
  return true;
}

static void self_test(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct wearable *w = context;
  uint32_t part;
  if (!part_to_test(w, request, answer, &part)) {
    return;
  }
  /* The lease stands still meanwhile: nobody here could hear it renewed. */
  const uint32_t left_ms = outbox_left_ms(&w->outbox);
  cbor_map(&answer->body, 1);
  cbor_text(&answer->body, "results");
  const size_t opened = cbor_open_array(&answer->body);
  struct group_results all = {&answer->body, 0};
  struct sensor_results results = {.add = add_result, .context = &all};
  self_test_run(w, part, &results);
  cbor_close_array(&answer->body, opened, all.count);
  if (left_ms > 0) {
    outbox_grant(&w->outbox, left_ms);
  }
}

/* Those that counted, and telemetry_dropped in any case. */
static bool is_shown(const struct counters *counters, size_t counter) {
  return counters->counts[counter] > 0 || counter == COUNTER_TELEMETRY_DROPPED;
}

static void read_counters(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  const struct counters *counters = &((const struct wearable *)context)->counters;
  uint32_t shown = 0;
  for (size_t i = 0; i < COUNTER_COUNT; i++) {
    shown += is_shown(counters, i) ? 1 : 0;
  }
  cbor_map(&answer->body, 1);
  cbor_text(&answer->body, "counters");
  cbor_map(&answer->body, shown);
  for (size_t i = 0; i < COUNTER_COUNT; i++) {
    if (is_shown(counters, i)) {
      put_unsigned(&answer->body, counters_name((enum counter)i), counters->counts[i]);
    }
  }
}

static void set_rate(void *context, const struct smp_request *request, struct smp_answer *answer) {
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

static void read_refusal(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  const struct smp_server *server = &((const struct wearable *)context)->server;
  cbor_map(&answer->body, 2);
  put_text(&answer->body, "reason", server->reason);
  put_unsigned(&answer->body, "time_us", server->reason_time_us);
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

static void want_signals(void *context, const struct smp_request *request, struct smp_answer *answer) {
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

static void feed(void *context, const struct smp_request *request, struct smp_answer *answer) {
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

static void put_person(struct smp_answer *answer, const float values[PERSON_COUNT]) {
  uint32_t known = 0;
  for (size_t i = 0; i < PERSON_COUNT; i++) {
    known += isnan(values[i]) ? 0 : 1;
  }
  cbor_map(&answer->body, 1);
  cbor_text(&answer->body, "person");
  cbor_map(&answer->body, known);
  for (size_t i = 0; i < PERSON_COUNT; i++) {
    if (!isnan(values[i])) {
      put_number(&answer->body, person_name((enum person_field)i), values[i]);
    }
  }
}

static void read_person(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  const struct wearable *w = context;
  put_person(answer, w->engine.person);
}

static size_t field_of(const struct cbor_item *name) {
  size_t field = 0;
  while (field < PERSON_COUNT && (name->size != strlen(person_name((enum person_field)field)) ||
                                  memcmp(name->data, person_name((enum person_field)field), name->size) != 0)) {
    field++;
  }
  return field;
}

/* One number of the wearer; false after a refusal. */
static bool take_field(struct smp_answer *answer, const struct cbor_item *name, const struct cbor_item *item,
                       float values[PERSON_COUNT]) {
  const size_t field = field_of(name);
  if (field == PERSON_COUNT) {
    struct text *reason = group_refuse(answer, GROUP_ERROR_NO_SUCH);
    text_add(reason, "There is no \"");
    text_add_bytes(reason, (const char *)name->data, name->size < 40 ? name->size : 40);
    text_add(reason, "\" of a person.");
    return false;
  }
  const float value = item->kind == CBOR_FLOAT      ? item->real
                      : item->kind == CBOR_UNSIGNED ? float32_of_unsigned(item->number)
                                                    : -INFINITY;
  float low;
  float high;
  if (!person_within((enum person_field)field, value, &low, &high)) {
    struct text *reason = group_refuse(answer, GROUP_ERROR_IMPLAUSIBLE);
    text_add(reason, person_name((enum person_field)field));
    text_add(reason, " is a number of ");
    text_add_float(reason, low, 1);
    text_add(reason, " to ");
    text_add_float(reason, high, 1);
    text_add(reason, "; correct it.");
    return false;
  }
  values[field] = value;
  return true;
}

static void write_person(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct wearable *w = context;
  float values[PERSON_COUNT];
  uint8_t bytes[PERSON_BYTES];
  struct cbor_item map;
  struct cbor_item name;
  struct cbor_item item;
  const uint8_t *at = NULL;
  if (!smp_field_items(request, answer, "person", CBOR_MAP, &map)) {
    return;
  }
  memcpy(values, w->engine.person, sizeof values);
  while (cbor_next(&map, &at, &name) && cbor_next(&map, &at, &item)) {
    if (!take_field(answer, &name, &item, values)) {
      return;
    }
  }
  person_store(values, bytes);
  if (store_put(&w->person, bytes, sizeof bytes) != STATUS_OK) {
    text_add(group_refuse(answer, GROUP_ERROR_STORAGE), "The flash does not keep the wearer; have the device checked.");
    return;
  }
  memcpy(w->engine.person, values, sizeof values);
  w->engine.told = false;
  put_person(answer, values);
}

static void read_alerts(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  const struct wearable *w = context;
  cbor_map(&answer->body, 1);
  cbor_text(&answer->body, "alerts");
  cbor_array(&answer->body, w->profile->alert_count);
  for (uint8_t i = 0; i < w->profile->alert_count; i++) {
    cbor_map(&answer->body, 2);
    put_unsigned(&answer->body, "state", (uint64_t)w->profile->alert_states[i].state);
    put_unsigned(&answer->body, "time_us", (uint64_t)w->profile->alert_states[i].time_us);
  }
}

static void acknowledge(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct wearable *w = context;
  uint32_t alert;
  if (!smp_field_unsigned(request, answer, "alert", 0, UINT8_MAX, &alert)) {
    return;
  }
  if (alert >= w->profile->alert_count) {
    struct text *reason = group_refuse(answer, GROUP_ERROR_NO_SUCH);
    text_add(reason, "There is no alert ");
    text_add_unsigned(reason, alert);
    if (w->profile->alert_count > 0) {
      text_add(reason, "; they are numbered 0 to ");
      text_add_unsigned(reason, w->profile->alert_count - 1U);
      text_add(reason, ".");
    } else {
      text_add(reason, "; this wearable has none.");
    }
    return;
  }
  engine_acknowledge(&w->engine, (uint8_t)alert);
  wearable_keep_alerts(w, true);
  read_alerts(context, request, answer);
}

struct smp_group wearable_group_commands(struct wearable *w) {
  static const struct smp_command commands[] = {
      {COMMAND_HELLO, SMP_READ, hello},
      {COMMAND_STREAM, SMP_WRITE, stream},
      {COMMAND_CONSTANTS, SMP_READ, read_constants},
      {COMMAND_CORRECTION, SMP_READ, correction_group_read},
      {COMMAND_CORRECTION, SMP_WRITE, correction_group_write},
      {COMMAND_ROLLBACK, SMP_WRITE, correction_group_rollback},
      {COMMAND_SELF_TEST, SMP_WRITE, self_test},
      {COMMAND_COUNTERS, SMP_READ, read_counters},
      {COMMAND_RATE, SMP_WRITE, set_rate},
      {COMMAND_REFUSAL, SMP_READ, read_refusal},
      {COMMAND_PROFILE, SMP_READ, read_profile},
      {COMMAND_SIGNALS, SMP_WRITE, want_signals},
      {COMMAND_FEED, SMP_WRITE, feed},
      {COMMAND_PERSON, SMP_READ, read_person},
      {COMMAND_PERSON, SMP_WRITE, write_person},
      {COMMAND_ALERTS, SMP_READ, read_alerts},
      {COMMAND_ALERTS, SMP_WRITE, acknowledge},
      {COMMAND_KEPT, SMP_READ, read_kept},
      {COMMAND_BASELINE, SMP_READ, baseline_group_read},
      {COMMAND_BASELINE, SMP_WRITE, baseline_group_forget},
      {COMMAND_LEARNED, SMP_READ, baseline_group_learned},
  };
  return (struct smp_group){SMP_GROUP_WEARABLE, commands, sizeof commands / sizeof commands[0], w};
}
