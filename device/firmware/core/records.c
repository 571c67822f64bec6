/* Telemetry records as bytes, little-endian. */
#include "records.h"

#include <string.h>

#include "bytes.h"
#include "text.h"

#define NEWEST_BYTES 5

static size_t begin(uint8_t *record, enum record_type type, struct records_head head, size_t size) {
  record[0] = PROTOCOL;
  record[1] = (uint8_t)type;
  store_le16(record + 2, head.sequence);
  store_le64(record + 4, head.time_us);
  return size;
}

static void store_float(uint8_t *to, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  store_le32(to, bits);
}

size_t records_block(uint8_t *record, size_t capacity, struct records_head head, const struct records_block *block) {
  const size_t size = RECORDS_BLOCK_AT + block->size;
  if (block->size < 1 || block->size > RECORDS_MAX_BLOCK || size > capacity) {
    return 0;
  }
  record[12] = block->sensor;
  store_le16(record + 13, (uint16_t)block->constants);
  store_le32(record + 15, block->index);
  return begin(record, RECORD_TYPE_BLOCK, head, size);
}

size_t records_signal(uint8_t *record, size_t capacity, struct records_head head, const struct records_signal *signal) {
  const size_t size = RECORDS_SIGNAL_AT + 4 * (size_t)signal->count;
  if (signal->count < 1 || signal->count > RECORDS_SIGNAL_VALUES || signal->first + signal->count > signal->elements ||
      size > capacity) {
    return 0;
  }
  record[12] = signal->signal;
  store_le16(record + 13, signal->flags);
  store_le16(record + 15, signal->elements);
  store_le16(record + 17, signal->first);
  for (size_t i = 0; i < signal->count; i++) {
    store_float(record + RECORDS_SIGNAL_AT + 4 * i, signal->values[i]);
  }
  return begin(record, RECORD_TYPE_SIGNAL, head, size);
}

static size_t store_values(uint8_t *to, const struct finding *finding, bool quantities) {
  to[0] = (uint8_t)(finding->count == 0 ? OUTPUT_KIND_NONE : quantities ? OUTPUT_KIND_QUANTITIES : OUTPUT_KIND_SCORES);
  to[1] = finding->count;
  uint8_t *at = to + 2;
  for (size_t i = 0; i < finding->count; i++) {
    if (quantities) {
      store_float(at, finding->values[i]);
    } else {
      store_le16(at, finding_steps(finding->values[i]));
    }
    at += quantities ? 4 : 2;
  }
  return (size_t)(at - to);
}

size_t records_finding(uint8_t *record, size_t capacity, struct records_head head,
                       const struct records_finding *finding) {
  const struct finding *const said = finding->finding;
  const size_t values = (finding->quantities ? 4 : 2) * (size_t)said->count;
  const size_t size = 30 + NEWEST_BYTES * (size_t)finding->newest_count + values;
  if (said->count > LIMIT_OUTPUTS || finding->newest_count > LIMIT_SENSORS || size > capacity) {
    return 0;
  }
  record[12] = said->model;
  store_le16(record + 13, said->flags);
  store_le32(record + 15, finding->bundle);
  store_le32(record + 19, finding->latency_us);
  store_le32(record + 23, finding->inference_us);
  record[27] = finding->newest_count;
  uint8_t *at = record + 28;
  for (size_t i = 0; i < finding->newest_count; i++, at += NEWEST_BYTES) {
    at[0] = finding->newest[i].sensor;
    store_le32(at + 1, finding->newest[i].index);
  }
  at += store_values(at, said, finding->quantities);
  return begin(record, RECORD_TYPE_FINDING, head, (size_t)(at - record));
}

size_t records_alert(uint8_t *record, size_t capacity, struct records_head head, uint8_t number,
                     const struct alert *alert) {
  const size_t size = 28;
  if (size > capacity) {
    return 0;
  }
  record[12] = number;
  record[13] = (uint8_t)alert->state;
  store_le16(record + 14, alert->flags);
  store_le64(record + 16, (uint64_t)alert->time_us);
  store_float(record + 24, alert->value);
  return begin(record, RECORD_TYPE_ALERT, head, size);
}

size_t records_event(uint8_t *record, size_t capacity, struct records_head head, const struct records_event *event) {
  const size_t text = text_fit(event->sentence, strlen(event->sentence), MAX_EVENT_TEXT);
  const size_t size = 20 + text;
  if (size > capacity) {
    return 0;
  }
  store_le16(record + 12, event->code);
  record[14] = (uint8_t)event->severity;
  record[15] = event->sensor;
  store_le32(record + 16, event->count);
  memcpy(record + 20, event->sentence, text);
  return begin(record, RECORD_TYPE_EVENT, head, size);
}

size_t records_clock(uint8_t *record, size_t capacity, struct records_head head, const struct records_clock *clock) {
  const size_t size = 36;
  if (size > capacity) {
    return 0;
  }
  store_le64(record + 12, clock->unix_us);
  store_le32(record + 20, clock->lease_left_ms);
  store_le32(record + 24, clock->dropped);
  store_le32(record + 28, clock->captured);
  store_le32(record + 32, clock->lost);
  return begin(record, RECORD_TYPE_CLOCK, head, size);
}
