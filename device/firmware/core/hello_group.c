#include "hello_group.h"

#include "group_answer.h"
#include "image_group.h"
#include "stream_group.h"

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
void hello_group_read(void *context, const struct smp_request *request, struct smp_answer *answer) {
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
  put_unsigned(body, "lease_max_ms", STREAM_GROUP_LONGEST_LEASE_MS);
  put_unsigned(body, "sensor_count", profile->sensor_count);
  cbor_text(body, "bundle_sha256");
  cbor_bytes(body, bundle != NULL ? bundle->image_sha256 : NULL, bundle != NULL ? sizeof bundle->image_sha256 : 0);
  cbor_text(body, "profile_sha256");
  cbor_bytes(body, profile->cbor_sha256, sizeof profile->cbor_sha256);
  put_bool(body, "development_key", bundle != NULL && bundle->development_key);
}
