/* Group 65, field by field as thermo_core.wire.management has it. */
#include "wearable_group.h"

#include <math.h>
#include <string.h>

#include "image_group.h"

enum command { HELLO, STREAM, EEPROM, CALIBRATION, ROLLBACK, SELF_TEST, COUNTERS, RATE, REFUSAL, PROFILE };
enum stream_op { STOP, START, RENEW };

#define PROTOCOL 1
#define MAX_BLOB (1U << 20)
#define EEPROM_BYTES (2U * WEARABLE_EEPROM_WORDS)
#define CAMERA_BITS 16U /* resolution of code 0 */
#define ADC_BITS 16

static struct text *refuse(struct smp_answer *answer, enum wearable_code code) {
  static const uint8_t version_1[] = {
      [WEARABLE_UNKNOWN] = SMP_UNKNOWN,         [WEARABLE_NO_SENSOR] = SMP_NO_ENTRY,
      [WEARABLE_NO_CALIBRATION] = SMP_NO_ENTRY, [WEARABLE_WRONG_SENSOR] = SMP_ACCESS_DENIED,
      [WEARABLE_DAMAGED] = SMP_CORRUPT,         [WEARABLE_BAD_OFFSET] = SMP_INVALID,
      [WEARABLE_BAD_RATE] = SMP_INVALID,        [WEARABLE_NO_LEASE] = SMP_BAD_STATE,
      [WEARABLE_STORAGE] = SMP_NO_MEMORY,       [WEARABLE_IMPLAUSIBLE] = SMP_INVALID,
  };
  return smp_refuse_in_group(answer, SMP_GROUP_WEARABLE, (uint16_t)code, version_1[code]);
}

static void refuse_absent(struct smp_answer *answer, const struct wearable_state *state) {
  struct text *reason = refuse(answer, WEARABLE_NO_SENSOR);
  text_add(reason, "The picture sensor is not there. ");
  text_add(reason, state->sensor_fault != NULL ? state->sensor_fault : "It has not answered yet; try again.");
}

static struct wearable_state get_state(const struct wearable_group *group) {
  struct wearable_state state = {0};
  group->services->state(group->services->context, &state);
  return state;
}

static void put_text(struct cbor_writer *body, const char *key, const char *text) {
  cbor_text(body, key);
  cbor_text(body, text);
}

static void put_unsigned(struct cbor_writer *body, const char *key, uint64_t number) {
  cbor_text(body, key);
  cbor_unsigned(body, number);
}

static void put_bool(struct cbor_writer *body, const char *key, bool value) {
  cbor_text(body, key);
  cbor_bool(body, value);
}

static void put_number(struct cbor_writer *body, const char *key, float number) {
  cbor_text(body, key);
  cbor_float(body, number);
}

/* Maps are written with their keys in canonical order: shorter ones first, then by their bytes. */

static void put_camera(struct cbor_writer *body, const struct profile *profile, const struct wearable_state *state) {
  cbor_map(body, 13);
  cbor_text(body, "id");
  cbor_bytes(body, state->sensor_id, state->sensor_known ? sizeof state->sensor_id : 0);
  put_text(body, "kind", "mlx90640");
  put_bool(body, "chess", profile->camera_chess);
  put_unsigned(body, "sensor", 0);
  put_unsigned(body, "address", profile->camera_address);
  put_number(body, "rate_hz", state->camera_rate_hz);
  put_text(body, "warning", state->sensor_warning);
  cbor_text(body, "channels");
  cbor_array(body, 0);
  cbor_text(body, "reflected");
  if (isnan(profile->camera_reflected_celsius)) {
    cbor_null(body);
  } else {
    cbor_float(body, profile->camera_reflected_celsius);
  }
  put_number(body, "emissivity", profile->camera_emissivity);
  put_unsigned(body, "generation", state->generation);
  put_unsigned(body, "fingerprint", state->fingerprint);
  put_unsigned(body, "resolution_bits", CAMERA_BITS + profile->camera_resolution_code);
}

static void put_thermistors(struct cbor_writer *body, const struct profile *profile) {
  cbor_map(body, 13);
  cbor_text(body, "id");
  cbor_bytes(body, NULL, 0);
  put_text(body, "kind", "ads1115");
  put_bool(body, "chess", false);
  put_unsigned(body, "sensor", 1);
  put_unsigned(body, "address", profile->adc_address);
  put_number(body, "rate_hz", profile->adc_rate_hz);
  put_text(body, "warning", "");
  cbor_text(body, "channels");
  cbor_array(body, profile->channel_count);
  for (size_t i = 0; i < profile->channel_count; i++) {
    cbor_text(body, profile->channels[i].name);
  }
  cbor_text(body, "reflected");
  cbor_null(body);
  cbor_text(body, "emissivity");
  cbor_null(body);
  put_unsigned(body, "generation", 0);
  put_unsigned(body, "fingerprint", 0);
  put_unsigned(body, "resolution_bits", ADC_BITS);
}

static void hello(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  const struct wearable_group *group = context;
  const struct profile *profile = group->profile;
  const struct board *board = group->board;
  const struct wearable_services *services = group->services;
  struct cbor_writer *body = &answer->body;
  struct wearable_state state = get_state(group);
  char version_bytes[32];
  struct text version;
  text_begin(&version, version_bytes, sizeof version_bytes);
  if (profile->model != NULL) {
    image_group_version(profile->model, &version);
  }
  cbor_map(body, 16);
  put_text(body, "name", board->name);
  put_text(body, "model", version_bytes);
  cbor_text(body, "labels");
  uint8_t labels = profile->model != NULL ? profile->label_count : 0;
  cbor_array(body, labels);
  for (size_t i = 0; i < labels; i++) {
    cbor_text(body, profile->labels[i]);
  }
  put_text(body, "notice", profile->notice);
  put_text(body, "serial", board->serial);
  cbor_text(body, "waived");
  cbor_array(body, profile->waived_count);
  for (size_t i = 0; i < profile->waived_count; i++) {
    cbor_text(body, profile->waived[i]);
  }
  put_text(body, "profile", profile->name);
  cbor_text(body, "sensors");
  cbor_array(body, profile->channel_count > 0 ? 2 : 1);
  put_camera(body, profile, &state);
  if (profile->channel_count > 0) {
    put_thermistors(body, profile);
  }
  put_unsigned(body, "time_us", state.time_us);
  put_text(body, "platform", board->platform);
  put_unsigned(body, "protocol", PROTOCOL);
  put_text(body, "software", services->software);
  put_bool(body, "simulated", board->simulated);
  put_bool(body, "calibrated", state.calibrated);
  put_unsigned(body, "lease_max_ms", services->lease_max_ms);
  put_bool(body, "development_key", services->development_key);
}

/* The optional key interval; 0 where it is missing or null. */
static bool key_interval(const struct smp_request *request, struct smp_answer *answer, uint32_t *interval) {
  struct cbor_item item;
  *interval = 0;
  if (!cbor_find(request->body, request->body_size, "key_interval", &item) || item.kind == CBOR_NULL) {
    return true;
  }
  return smp_field_unsigned(request, answer, "key_interval", 1, UINT16_MAX, interval);
}

static void stream(void *context, const struct smp_request *request, struct smp_answer *answer) {
  const struct wearable_group *group = context;
  const struct wearable_services *services = group->services;
  uint32_t op;
  uint32_t lease_ms = 0;
  uint32_t interval;
  if (!smp_field_unsigned(request, answer, "op", STOP, RENEW, &op)) {
    return;
  }
  bool lease_good = op == STOP ? smp_field_unsigned_or(request, answer, "lease_ms", 0, UINT32_MAX, 0, &lease_ms)
                               : smp_field_unsigned(request, answer, "lease_ms", 0, UINT32_MAX, &lease_ms);
  if (!lease_good || !key_interval(request, answer, &interval)) {
    return;
  }
  if (op == STOP) {
    lease_ms = 0;
    services->stream_stop(services->context);
  } else if (lease_ms < WEARABLE_SHORTEST_LEASE_MS) {
    struct text *reason = smp_refuse(answer, SMP_INVALID);
    text_add(reason, "A lease of ");
    text_add_unsigned(reason, lease_ms);
    text_add(reason, " ms is too short; ask for ");
    text_add_unsigned(reason, WEARABLE_SHORTEST_LEASE_MS);
    text_add(reason, " or more.");
    return;
  }
  lease_ms = lease_ms < services->lease_max_ms ? lease_ms : services->lease_max_ms;
  if (op == START) {
    services->stream_start(services->context, lease_ms, (uint16_t)interval);
  } else if (op == RENEW && !services->stream_renew(services->context, lease_ms)) {
    text_add(refuse(answer, WEARABLE_NO_LEASE), "No stream runs that could be renewed; start one.");
    return;
  }
  cbor_map(&answer->body, 2);
  put_unsigned(&answer->body, "time_us", get_state(group).time_us);
  put_unsigned(&answer->body, "lease_ms", lease_ms);
}

/* What a request for a part asks. */
struct wanted {
  uint32_t offset, sensor, slot;
};

static bool read_wanted(const struct smp_request *request, struct smp_answer *answer, struct wanted *wanted) {
  return smp_field_unsigned_or(request, answer, "off", 0, MAX_BLOB, 0, &wanted->offset) &&
         smp_field_unsigned_or(request, answer, "sensor", 0, UINT8_MAX, 0, &wanted->sensor) &&
         smp_field_unsigned_or(request, answer, "slot", STORE_CURRENT, STORE_PREVIOUS, 0, &wanted->slot);
}

/* Begin the answer, a map of `keys`, with a part of `whole` bytes, which takes three of them. Returns where its bytes
   go and how many; NULL where it is refused or does not fit. */
static uint8_t *put_part(struct smp_answer *answer, uint32_t keys, size_t offset, size_t whole, size_t *size) {
  if (offset > whole) {
    struct text *reason = refuse(answer, WEARABLE_BAD_OFFSET);
    text_add(reason, "Offset ");
    text_add_unsigned(reason, offset);
    text_add(reason, " lies beyond the end at ");
    text_add_unsigned(reason, whole);
    text_add(reason, "; begin again at 0.");
    return NULL;
  }
  *size = whole - offset < WEARABLE_PART_BYTES ? whole - offset : WEARABLE_PART_BYTES;
  cbor_map(&answer->body, keys);
  put_unsigned(&answer->body, "len", whole);
  put_unsigned(&answer->body, "off", offset);
  cbor_text(&answer->body, "data");
  return cbor_reserve_bytes(&answer->body, *size);
}

static void put_bytes_part(struct smp_answer *answer, size_t offset, const uint8_t *data, size_t whole) {
  size_t size;
  uint8_t *part = put_part(answer, 3, offset, whole, &size);
  if (part != NULL && size > 0) {
    memcpy(part, data + offset, size);
  }
}

static void read_eeprom(void *context, const struct smp_request *request, struct smp_answer *answer) {
  const struct wearable_group *group = context;
  struct wanted wanted;
  if (!read_wanted(request, answer, &wanted)) {
    return;
  }
  if (wanted.sensor != 0) {
    struct text *reason = refuse(answer, WEARABLE_NO_SENSOR);
    text_add(reason, "Sensor ");
    text_add_unsigned(reason, wanted.sensor);
    text_add(reason, " has no EEPROM; ask for that of sensor 0.");
    return;
  }
  const uint16_t *words = group->services->eeprom(group->services->context);
  const struct wearable_state state = get_state(group);
  if (words == NULL) {
    refuse_absent(answer, &state);
    return;
  }
  size_t size;
  uint8_t *part = put_part(answer, 4, wanted.offset, EEPROM_BYTES, &size);
  for (size_t i = 0; part != NULL && i < size; i++) {
    size_t at = wanted.offset + i;
    part[i] = (uint8_t)(words[at / 2] >> (at % 2 * 8));
  }
  if (part != NULL) {
    put_unsigned(&answer->body, "generation", state.generation);
  }
}

static void read_calibration(void *context, const struct smp_request *request, struct smp_answer *answer) {
  const struct wearable_group *group = context;
  struct wanted wanted;
  if (!read_wanted(request, answer, &wanted)) {
    return;
  }
  size_t size;
  const uint8_t *calibration = store_calibration(group->store, (enum store_slot)wanted.slot, &size);
  put_bytes_part(answer, wanted.offset, calibration, size);
}

static void read_profile(void *context, const struct smp_request *request, struct smp_answer *answer) {
  const struct wearable_group *group = context;
  struct wanted wanted;
  if (read_wanted(request, answer, &wanted)) {
    put_bytes_part(answer, wanted.offset, group->profile->cbor, group->profile->cbor_size);
  }
}

static void refuse_storage(struct smp_answer *answer) {
  text_add(refuse(answer, WEARABLE_STORAGE),
           "The flash does not keep a calibration; the stored one stays in use, have the device checked.");
}

static void refuse_wrong_sensor(struct smp_answer *answer, const struct wearable_state *state, const uint8_t *id,
                                size_t id_size) {
  struct text *reason = refuse(answer, WEARABLE_WRONG_SENSOR);
  text_add(reason, "The calibration is of sensor ");
  text_add_hex(reason, id, id_size);
  text_add(reason, " and this one is ");
  text_add_hex(reason, state->sensor_id, sizeof state->sensor_id);
  text_add(reason, "; calibrate this sensor.");
}

/* Refuse a calibration that the sensor at hand cannot need; what else is wrong with it the store finds out. */
static bool objects(struct wearable_group *group, const struct wearable_state *state, struct smp_answer *answer) {
  const struct wearable_services *services = group->services;
  struct correction correction;
  char sentence[SMP_REASON_BYTES];
  struct text reason;
  enum wearable_code code = WEARABLE_IMPLAUSIBLE;
  size_t size;
  const uint8_t *blob = store_incoming(group->store, &size);
  text_begin(&reason, sentence, sizeof sentence);
  if (services->objects == NULL || !state->sensor_known || blob == NULL ||
      correction_open(blob, size, &correction) != STATUS_OK || correction.id_size != sizeof state->sensor_id ||
      memcmp(correction.id, state->sensor_id, sizeof state->sensor_id) != 0 ||
      !services->objects(services->context, &correction, &code, &reason)) {
    return false;
  }
  store_abandon(group->store);
  text_add(refuse(answer, code), sentence);
  return true;
}

static void commit_calibration(struct wearable_group *group, struct smp_answer *answer) {
  struct wearable_state state = get_state(group);
  struct store_identity identity;
  if (objects(group, &state, answer)) {
    return;
  }
  switch (store_commit(group->store, state.sensor_known ? state.sensor_id : NULL, &identity)) {
    case STATUS_OK:
      group->services->calibration_changed(group->services->context);
      break;
    case STATUS_WRONG_SENSOR:
      if (state.sensor_known) {
        refuse_wrong_sensor(answer, &state, identity.bytes, identity.size);
      } else {
        refuse_absent(answer, &state);
      }
      break;
    case STATUS_STORAGE:
      refuse_storage(answer);
      break;
    default:
      text_add(refuse(answer, WEARABLE_DAMAGED),
               "The calibration is damaged or holds impossible values; write it again or calibrate anew.");
      break;
  }
}

static void refuse_offset(const struct store *store, struct smp_answer *answer, size_t offset, size_t length) {
  bool running = store->incoming >= 0;
  struct text *reason = refuse(answer, WEARABLE_BAD_OFFSET);
  text_add(reason, "A part at ");
  text_add_unsigned(reason, offset);
  text_add(reason, " of ");
  text_add_unsigned(reason, length);
  text_add(reason, " came where ");
  text_add_unsigned(reason, running ? store->offset : 0);
  text_add(reason, " of ");
  text_add_unsigned(reason, running ? store->length : 0);
  text_add(reason, " was next; begin again at 0.");
}

static void write_calibration(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct wearable_group *group = context;
  uint32_t offset;
  uint32_t length;
  struct cbor_item data;
  if (!smp_field_unsigned(request, answer, "off", 0, MAX_BLOB, &offset) ||
      !smp_field_unsigned(request, answer, "len", 0, MAX_BLOB, &length) ||
      !smp_field_bytes(request, answer, "data", &data)) {
    return;
  }
  if (offset + data.size > length) {
    struct text *reason = smp_refuse(answer, SMP_INVALID);
    text_add(reason, "A part of ");
    text_add_unsigned(reason, data.size);
    text_add(reason, " bytes at ");
    text_add_unsigned(reason, offset);
    text_add(reason, " reaches beyond its whole of ");
    text_add_unsigned(reason, length);
    text_add(reason, " bytes.");
    return;
  }
  switch (store_write(group->store, offset, length, data.data, data.size)) {
    case STATUS_OK:
      break;
    case STATUS_DAMAGED: {
      struct text *reason = refuse(answer, WEARABLE_DAMAGED);
      text_add(reason, "A calibration of ");
      text_add_unsigned(reason, length);
      text_add(reason, " bytes is none of ours; make a new one.");
      return;
    }
    case STATUS_ARGUMENT:
      refuse_offset(group->store, answer, offset, length);
      return;
    default:
      refuse_storage(answer);
      return;
  }
  size_t next = group->store->offset;
  if (store_complete(group->store)) {
    commit_calibration(group, answer);
  }
  if (!answer->refused) {
    cbor_map(&answer->body, 1);
    put_unsigned(&answer->body, "off", next);
  }
}

static void rollback(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  struct wearable_group *group = context;
  enum status status = store_rollback(group->store);
  if (status == STATUS_EMPTY) {
    text_add(refuse(answer, WEARABLE_NO_CALIBRATION),
             "There is no calibration before the current one; make a new one.");
  } else if (status != STATUS_OK) {
    refuse_storage(answer);
  } else {
    group->services->calibration_changed(group->services->context);
    cbor_map(&answer->body, 0);
  }
}

static void self_test(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  const struct wearable_group *group = context;
  cbor_map(&answer->body, 1);
  cbor_text(&answer->body, "results");
  size_t opened = cbor_open_array(&answer->body);
  struct wearable_results results = {&answer->body, 0};
  group->services->self_test(group->services->context, &results);
  cbor_close_array(&answer->body, opened, results.count);
}

void wearable_group_result(struct wearable_results *results, const char *name, bool passed, const char *detail) {
  cbor_map(results->body, 3);
  put_text(results->body, "name", name);
  put_text(results->body, "detail", detail);
  put_bool(results->body, "passed", passed);
  results->count++;
}

/* Those that counted, and telemetry_dropped in any case. */
static bool is_shown(const struct counters *counters, size_t counter) {
  return counters->counts[counter] > 0 || counter == COUNTER_TELEMETRY_DROPPED;
}

static void read_counters(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  const struct wearable_group *group = context;
  uint32_t shown = 0;
  for (size_t i = 0; i < COUNTER_COUNT; i++) {
    shown += is_shown(group->counters, i) ? 1 : 0;
  }
  cbor_map(&answer->body, 1);
  cbor_text(&answer->body, "counters");
  cbor_map(&answer->body, shown);
  for (size_t i = 0; i < COUNTER_COUNT; i++) {
    if (is_shown(group->counters, i)) {
      put_unsigned(&answer->body, counters_name((enum counter)i), group->counters->counts[i]);
    }
  }
}

static void set_rate(void *context, const struct smp_request *request, struct smp_answer *answer) {
  const struct wearable_services *services = ((const struct wearable_group *)context)->services;
  float wanted_hz;
  if (!smp_field_number(request, answer, "rate_hz", &wanted_hz)) {
    return;
  }
  char sentence[SMP_REASON_BYTES];
  struct text reason;
  text_begin(&reason, sentence, sizeof sentence);
  enum wearable_code code = WEARABLE_BAD_RATE;
  float set_hz = wanted_hz;
  if (!services->set_rate(services->context, wanted_hz, &set_hz, &code, &reason)) {
    text_add(refuse(answer, code), sentence);
    return;
  }
  cbor_map(&answer->body, 1);
  put_number(&answer->body, "rate_hz", set_hz);
}

static void read_refusal(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  const struct smp_server *server = ((const struct wearable_group *)context)->server;
  cbor_map(&answer->body, 2);
  put_text(&answer->body, "reason", server->reason);
  put_unsigned(&answer->body, "time_us", server->reason_time_us);
}

struct smp_group wearable_group_commands(struct wearable_group *group) {
  static const struct smp_command commands[] = {
      {HELLO, SMP_READ, hello},
      {STREAM, SMP_WRITE, stream},
      {EEPROM, SMP_READ, read_eeprom},
      {CALIBRATION, SMP_READ, read_calibration},
      {CALIBRATION, SMP_WRITE, write_calibration},
      {ROLLBACK, SMP_WRITE, rollback},
      {SELF_TEST, SMP_WRITE, self_test},
      {COUNTERS, SMP_READ, read_counters},
      {RATE, SMP_WRITE, set_rate},
      {REFUSAL, SMP_READ, read_refusal},
      {PROFILE, SMP_READ, read_profile},
  };
  return (struct smp_group){SMP_GROUP_WEARABLE, commands, sizeof commands / sizeof commands[0], group};
}
