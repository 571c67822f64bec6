/* A correction is verified whole before it replaces another one. */
#include "correction_group.h"

#include <string.h>

#include "group_answer.h"

#define MAX_BLOB (1U << 20)

static bool is_corrected(const struct sensor *sensor, struct smp_answer *answer) {
  if (sensor->driver->correction_kind != 0) {
    return true;
  }
  struct text *reason = group_refuse(answer, GROUP_ERROR_NO_CORRECTION);
  text_add(reason, sensor->name);
  text_add(reason, " is of kind ");
  text_add(reason, sensor->driver->kind);
  text_add(reason, ", which is never corrected.");
  return false;
}

void correction_group_read(void *context, const struct smp_request *request, struct smp_answer *answer) {
  const struct wearable *w = context;
  struct group_part wanted;
  const struct sensor *sensor;
  if (!group_wanted(request, answer, &wanted) || (sensor = group_sensor(w, answer, wanted.sensor)) == NULL) {
    return;
  }
  const struct flash_span blob = store_get(&w->sensors[sensor->number].store, (enum store_slot)wanted.slot);
  size_t size;
  uint8_t *part = group_put_part(answer, &wanted, blob.size, 0, &size);
  if (part != NULL) {
    flash_span_read(&blob, wanted.offset, part, size);
  }
}

static void refuse_storage(struct smp_answer *answer) {
  text_add(group_refuse(answer, GROUP_ERROR_STORAGE),
           "The flash does not keep a correction; the stored one stays in use, have the device checked.");
}

static void refuse_damaged(struct smp_answer *answer) {
  text_add(group_refuse(answer, GROUP_ERROR_DAMAGED),
           "The correction is damaged or holds impossible values; write it again or calibrate anew.");
}

/* Whether the one that came in is right for the chip at hand; false after a refusal. */
static bool belongs(const struct wearable *w, const struct sensor *sensor, struct smp_answer *answer) {
  struct correction correction;
  struct sensor_status now = {0};
  const struct flash_span blob = store_incoming(&w->sensors[sensor->number].store);
  sensor->driver->status(sensor, &now);
  if (blob.size == 0 || correction_open(&blob, &correction) != STATUS_OK) {
    refuse_damaged(answer);
    return false;
  }
  if (now.id_size == 0) {
    group_refuse_absent(answer, sensor, &now);
    return false;
  }
  if (correction.kind != sensor->driver->correction_kind) {
    struct text *reason = group_refuse(answer, GROUP_ERROR_WRONG_SENSOR);
    text_add(reason, "The correction is of a sensor of another kind and ");
    text_add(reason, sensor->name);
    text_add(reason, " is of kind ");
    text_add(reason, sensor->driver->kind);
    text_add(reason, "; calibrate this sensor.");
    return false;
  }
  if (!sensor->driver->possible(sensor, &correction)) {
    refuse_damaged(answer);
    return false;
  }
  if (correction.id_size != now.id_size || memcmp(correction.id, now.id, now.id_size) != 0) {
    struct text *reason = group_refuse(answer, GROUP_ERROR_WRONG_SENSOR);
    text_add(reason, "The correction is of sensor ");
    text_add_hex(reason, correction.id, correction.id_size);
    text_add(reason, " and ");
    text_add(reason, sensor->name);
    text_add(reason, " is ");
    text_add_hex(reason, now.id, now.id_size);
    text_add(reason, "; calibrate this sensor.");
    return false;
  }
  if (!correction_fits(&correction, now.id, now.id_size, now.fingerprint)) {
    struct text *reason = group_refuse(answer, GROUP_ERROR_WRONG_SENSOR);
    text_add(reason, "The correction was made when the EEPROM of ");
    text_add(reason, sensor->name);
    text_add(reason, " held something else; calibrate it as it is.");
    return false;
  }
  char sentence[SMP_REASON_BYTES];
  struct text reason;
  text_begin(&reason, sentence, sizeof sentence);
  if (sensor->driver->objects != NULL && sensor->driver->objects(sensor, &correction, &reason)) {
    text_add(group_refuse(answer, GROUP_ERROR_IMPLAUSIBLE), sentence);
    return false;
  }
  return true;
}

static void changed(struct wearable *w, const struct sensor *sensor) {
  wearable_use_correction(w, sensor->number);
  if (w->sensors[sensor->number].vouched && sensor->driver->trust != NULL) {
    sensor->driver->trust(sensor);
  }
}

static void commit(struct wearable *w, const struct sensor *sensor, struct smp_answer *answer) {
  struct store *store = &w->sensors[sensor->number].store;
  if (!belongs(w, sensor, answer)) {
    store_abandon(store);
    return;
  }
  switch (store_commit(store)) {
    case STATUS_OK:
      changed(w, sensor);
      break;
    case STATUS_STORAGE:
      refuse_storage(answer);
      break;
    default:
      refuse_damaged(answer);
      break;
  }
}

static void refuse_offset(const struct store *store, struct smp_answer *answer, size_t offset, size_t length) {
  const bool running = store->incoming >= 0;
  struct text *reason = group_refuse(answer, GROUP_ERROR_BAD_OFFSET);
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

static void refuse_length(struct smp_answer *answer, uint32_t length) {
  struct text *reason = group_refuse(answer, GROUP_ERROR_DAMAGED);
  text_add(reason, "A correction of ");
  text_add_unsigned(reason, length);
  text_add(reason, " bytes is none of ours; make a new one.");
}

void correction_group_write(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct wearable *w = context;
  uint32_t offset;
  uint32_t length;
  uint32_t number;
  struct cbor_item data;
  const struct sensor *sensor;
  if (!smp_field_unsigned(request, answer, "off", 0, MAX_BLOB, &offset) ||
      !smp_field_unsigned(request, answer, "len", 0, MAX_BLOB, &length) ||
      !smp_field_bytes(request, answer, "data", &data) ||
      !smp_field_unsigned_or(request, answer, "sensor", 0, UINT8_MAX, 0, &number) ||
      (sensor = group_sensor(w, answer, number)) == NULL || !is_corrected(sensor, answer)) {
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
  struct store *store = &w->sensors[number].store;
  switch (store_write(store, offset, length, data.data, data.size)) {
    case STATUS_OK:
      break;
    case STATUS_DAMAGED:
      refuse_length(answer, length);
      return;
    case STATUS_ARGUMENT:
      refuse_offset(store, answer, offset, length);
      return;
    default:
      refuse_storage(answer);
      return;
  }
  const size_t next = store->offset;
  if (store_complete(store)) {
    commit(w, sensor, answer);
  }
  if (!answer->refused) {
    cbor_map(&answer->body, 1);
    put_unsigned(&answer->body, "off", next);
  }
}

void correction_group_rollback(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct wearable *w = context;
  uint32_t number;
  const struct sensor *sensor;
  if (!smp_field_unsigned_or(request, answer, "sensor", 0, UINT8_MAX, 0, &number) ||
      (sensor = group_sensor(w, answer, number)) == NULL) {
    return;
  }
  const enum status status = store_rollback(&w->sensors[number].store);
  if (status == STATUS_EMPTY) {
    text_add(group_refuse(answer, GROUP_ERROR_NO_CORRECTION),
             "There is no correction before the current one; calibrate anew.");
  } else if (status != STATUS_OK) {
    refuse_storage(answer);
  } else {
    changed(w, sensor);
    cbor_map(&answer->body, 0);
  }
}
