/* Group 65: its table of commands, and those that are read or run alone. */
#include "wearable_group.h"

#include "alert_group.h"
#include "baseline_group.h"
#include "correction_group.h"
#include "group_answer.h"
#include "hello_group.h"
#include "person_group.h"
#include "self_test.h"
#include "stream_group.h"

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

static void read_refusal(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  const struct smp_server *server = &((const struct wearable *)context)->server;
  cbor_map(&answer->body, 2);
  put_text(&answer->body, "reason", server->reason);
  put_unsigned(&answer->body, "time_us", server->reason_time_us);
}

struct smp_group wearable_group_commands(struct wearable *w) {
  static const struct smp_command commands[] = {
      {COMMAND_HELLO, SMP_READ, hello_group_read},
      {COMMAND_STREAM, SMP_WRITE, stream_group_stream},
      {COMMAND_CONSTANTS, SMP_READ, read_constants},
      {COMMAND_CORRECTION, SMP_READ, correction_group_read},
      {COMMAND_CORRECTION, SMP_WRITE, correction_group_write},
      {COMMAND_ROLLBACK, SMP_WRITE, correction_group_rollback},
      {COMMAND_SELF_TEST, SMP_WRITE, self_test},
      {COMMAND_COUNTERS, SMP_READ, read_counters},
      {COMMAND_RATE, SMP_WRITE, stream_group_rate},
      {COMMAND_REFUSAL, SMP_READ, read_refusal},
      {COMMAND_PROFILE, SMP_READ, read_profile},
      {COMMAND_SIGNALS, SMP_WRITE, stream_group_signals},
      {COMMAND_FEED, SMP_WRITE, stream_group_feed},
      {COMMAND_PERSON, SMP_READ, person_group_read},
      {COMMAND_PERSON, SMP_WRITE, person_group_write},
      {COMMAND_ALERTS, SMP_READ, alert_group_read},
      {COMMAND_ALERTS, SMP_WRITE, alert_group_acknowledge},
      {COMMAND_KEPT, SMP_READ, read_kept},
      {COMMAND_BASELINE, SMP_READ, baseline_group_read},
      {COMMAND_BASELINE, SMP_WRITE, baseline_group_forget},
      {COMMAND_LEARNED, SMP_READ, baseline_group_learned},
  };
  return (struct smp_group){SMP_GROUP_WEARABLE, commands, sizeof commands / sizeof commands[0], w};
}
