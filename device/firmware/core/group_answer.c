/* Field by field as thermo_core.wire.management has it. */
#include "group_answer.h"

#include <string.h>

#define PART_BYTES 1024U /* longest part of one answer */
#define MAX_BLOB (1U << 20)

void put_text(struct cbor_writer *body, const char *key, const char *text) {
  cbor_text(body, key);
  cbor_text(body, text);
}

void put_unsigned(struct cbor_writer *body, const char *key, uint64_t number) {
  cbor_text(body, key);
  cbor_unsigned(body, number);
}

void put_bool(struct cbor_writer *body, const char *key, bool value) {
  cbor_text(body, key);
  cbor_bool(body, value);
}

void put_number(struct cbor_writer *body, const char *key, float number) {
  cbor_text(body, key);
  cbor_float(body, number);
}

struct text *group_refuse(struct smp_answer *answer, enum group_error code) {
  static const uint8_t version_1[] = {
      [GROUP_ERROR_OK] = SMP_UNKNOWN,          [GROUP_ERROR_UNKNOWN] = SMP_UNKNOWN,
      [GROUP_ERROR_NO_SENSOR] = SMP_NO_ENTRY,  [GROUP_ERROR_NO_CORRECTION] = SMP_NO_ENTRY,
      [GROUP_ERROR_DAMAGED] = SMP_CORRUPT,     [GROUP_ERROR_WRONG_SENSOR] = SMP_ACCESS_DENIED,
      [GROUP_ERROR_BAD_OFFSET] = SMP_INVALID,  [GROUP_ERROR_BAD_RATE] = SMP_INVALID,
      [GROUP_ERROR_NO_LEASE] = SMP_BAD_STATE,  [GROUP_ERROR_STORAGE] = SMP_NO_MEMORY,
      [GROUP_ERROR_IMPLAUSIBLE] = SMP_INVALID, [GROUP_ERROR_NO_SUCH] = SMP_NO_ENTRY,
  };
  return smp_refuse_in_group(answer, SMP_GROUP_WEARABLE, (uint16_t)code, version_1[code]);
}

void group_refuse_absent(struct smp_answer *answer, const struct sensor *sensor, const struct sensor_status *now) {
  struct text *reason = group_refuse(answer, GROUP_ERROR_NO_SENSOR);
  text_add(reason, "The sensor ");
  text_add(reason, sensor->name);
  text_add(reason, " is not there. ");
  text_add(reason, now->fault != NULL ? now->fault : "It has not answered yet; try again.");
}

const struct sensor *group_sensor(const struct wearable *w, struct smp_answer *answer, uint32_t number) {
  if (number < w->profile->sensor_count) {
    return &w->profile->sensors[number];
  }
  struct text *reason = group_refuse(answer, GROUP_ERROR_NO_SENSOR);
  text_add(reason, "There is no sensor ");
  text_add_unsigned(reason, number);
  text_add(reason, "; they are numbered 0 to ");
  text_add_unsigned(reason, w->profile->sensor_count - 1U);
  text_add(reason, ".");
  return NULL;
}

bool group_wanted(const struct smp_request *request, struct smp_answer *answer, struct group_part *wanted) {
  return smp_field_unsigned_or(request, answer, "off", 0, MAX_BLOB, 0, &wanted->offset) &&
         smp_field_unsigned_or(request, answer, "sensor", 0, UINT8_MAX, 0, &wanted->sensor) &&
         smp_field_unsigned_or(request, answer, "slot", STORE_CURRENT, STORE_PREVIOUS, 0, &wanted->slot);
}

uint8_t *group_put_part(struct smp_answer *answer, const struct group_part *wanted, size_t whole, uint32_t constants,
                        size_t *size) {
  if (wanted->offset > whole) {
    struct text *reason = group_refuse(answer, GROUP_ERROR_BAD_OFFSET);
    text_add(reason, "Offset ");
    text_add_unsigned(reason, wanted->offset);
    text_add(reason, " lies beyond the end at ");
    text_add_unsigned(reason, whole);
    text_add(reason, "; begin again at 0.");
    return NULL;
  }
  *size = whole - wanted->offset < PART_BYTES ? whole - wanted->offset : PART_BYTES;
  cbor_map(&answer->body, 5);
  put_unsigned(&answer->body, "len", whole);
  put_unsigned(&answer->body, "off", wanted->offset);
  cbor_text(&answer->body, "data");
  uint8_t *part = cbor_reserve_bytes(&answer->body, *size);
  put_unsigned(&answer->body, "sensor", wanted->sensor);
  put_unsigned(&answer->body, "constants", constants);
  return part;
}

void group_put_bytes(struct smp_answer *answer, const struct group_part *wanted, const uint8_t *data, size_t whole) {
  size_t size;
  uint8_t *part = group_put_part(answer, wanted, whole, 0, &size);
  if (part != NULL && size > 0) {
    memcpy(part, data + wanted->offset, size);
  }
}
