/* The job with the firmware's codec; CHECKED lets the check of a body from outside come first, as in the firmware. */
#include "cbor.h"
#include "cbor_job.h"

static bool number_of(const struct cbor_item *item, float *number) {
  *number = item->kind == CBOR_UNSIGNED   ? (float)item->number
            : item->kind == CBOR_NEGATIVE ? -1.0f - (float)item->number
                                          : item->real;
  return item->kind == CBOR_UNSIGNED || item->kind == CBOR_NEGATIVE || item->kind == CBOR_FLOAT;
}

size_t cbor_job(uint8_t *body, size_t size, uint8_t *answer, size_t capacity) {
#ifdef CHECKED
  if (cbor_check(body, &size) != CBOR_GOOD) {
    return 0;
  }
#endif
  struct cbor_item off, at, value, on, none, name, data, list, map, item;
  float number;
  if (!cbor_find(body, size, "off", &off) || off.kind != CBOR_UNSIGNED || off.number > UINT32_MAX ||
      !cbor_find(body, size, "at", &at) || at.kind > CBOR_NEGATIVE || at.number > INT64_MAX ||
      !cbor_find(body, size, "value", &value) || !number_of(&value, &number) || !cbor_find(body, size, "on", &on) ||
      on.kind != CBOR_BOOL || !cbor_find(body, size, "none", &none) || none.kind != CBOR_NULL ||
      !cbor_find(body, size, "name", &name) || name.kind != CBOR_TEXT || !cbor_find(body, size, "data", &data) ||
      data.kind != CBOR_BYTES || !cbor_find(body, size, "list", &list) || list.kind != CBOR_ARRAY ||
      !cbor_find(body, size, "map", &map) || map.kind != CBOR_MAP) {
    return 0;
  }
  struct cbor_writer writer;
  cbor_begin(&writer, answer, capacity);
  cbor_map(&writer, 9);
  cbor_text(&writer, "off");
  cbor_unsigned(&writer, off.number);
  cbor_text(&writer, "at");
  cbor_signed(&writer, at.kind == CBOR_UNSIGNED ? (int64_t)at.number : -1 - (int64_t)at.number);
  cbor_text(&writer, "value");
  cbor_float(&writer, number);
  cbor_text(&writer, "on");
  cbor_bool(&writer, on.number != 0);
  cbor_text(&writer, "none");
  cbor_null(&writer);
  cbor_text(&writer, "name");
  cbor_text_bytes(&writer, name.data, name.size);
  cbor_text(&writer, "data");
  cbor_bytes(&writer, data.data, data.size);
  cbor_text(&writer, "list");
  const size_t opened = cbor_open_array(&writer);
  uint32_t count = 0;
  const uint8_t *next = NULL;
  while (cbor_next(&list, &next, &item)) {
    if (item.kind != CBOR_UNSIGNED) {
      return 0;
    }
    if (item.number > off.number) {
      cbor_unsigned(&writer, item.number);
      count++;
    }
  }
  cbor_close_array(&writer, opened, count);
  cbor_text(&writer, "map");
  float sum = 0.0f;
  struct cbor_item key;
  next = NULL;
  while (cbor_next(&map, &next, &key) && cbor_next(&map, &next, &item)) {
    if (!number_of(&item, &number)) {
      return 0;
    }
    sum += number;
  }
  cbor_float(&writer, sum);
  return writer.overflow ? 0 : writer.used;
}
