#include "person_group.h"

#include <math.h>
#include <string.h>

#include "float32.h"
#include "group_answer.h"

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

void person_group_read(void *context, const struct smp_request *request, struct smp_answer *answer) {
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

void person_group_write(void *context, const struct smp_request *request, struct smp_answer *answer) {
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
