/* Telemetry records as bytes, little-endian. */
#include "records.h"

#include <math.h>
#include <string.h>

#include "bytes.h"
#include "text.h"

#define PROTOCOL_VERSION 1
#define CHANNEL_BYTES 5
#define CHANNEL_STATES 4

enum type { SUBPAGE = 1, THERMISTORS, VERDICT, EVENT, CLOCK };

static size_t begin(uint8_t *record, enum type type, struct records_head head, size_t size) {
  record[0] = PROTOCOL_VERSION;
  record[1] = (uint8_t)type;
  store_le16(record + 2, head.sequence);
  store_le64(record + 4, head.time_us);
  return size;
}

size_t records_subpage(uint8_t *record, size_t capacity, struct records_head head,
                       const struct records_subpage *subpage) {
  size_t size = RECORDS_COUNTS_AT + subpage->counts_size;
  bool possible = subpage->counts_size >= 2 && subpage->counts_size <= RECORDS_MAX_COUNTS && subpage->number <= 1 &&
                  (!subpage->key || subpage->key_index == subpage->index);
  if (!possible || size > capacity) {
    return 0;
  }
  record[12] = subpage->sensor;
  record[13] = (uint8_t)(subpage->number | (subpage->key ? 2 : 0));
  store_le16(record + 14, subpage->control);
  store_le32(record + 16, subpage->index);
  store_le32(record + 20, subpage->key_index);
  store_le32(record + 24, subpage->generation);
  return begin(record, SUBPAGE, head, size);
}

size_t records_thermistors(uint8_t *record, size_t capacity, struct records_head head, uint8_t sensor,
                           const struct records_channel *channels, uint8_t channel_count) {
  size_t size = RECORDS_HEADER_BYTES + 2 + (size_t)channel_count * CHANNEL_BYTES;
  if (size > capacity) {
    return 0;
  }
  record[12] = sensor;
  record[13] = channel_count;
  for (size_t i = 0; i < channel_count; i++) {
    uint8_t *at = record + 14 + i * CHANNEL_BYTES;
    if (channels[i].state >= CHANNEL_STATES) {
      return 0;
    }
    store_le16(at, (uint16_t)channels[i].counts);
    at[2] = channels[i].state;
    store_le16(at + 3, (uint16_t)channels[i].centi_celsius);
  }
  return begin(record, THERMISTORS, head, size);
}

size_t records_verdict(uint8_t *record, size_t capacity, struct records_head head,
                       const struct records_verdict *verdict) {
  size_t size = 36 + 2 * (size_t)verdict->label_count;
  if (size > capacity || (verdict->label != 0 && verdict->label >= verdict->label_count)) {
    return 0;
  }
  store_le32(record + 12, verdict->index);
  record[16] = verdict->pictures;
  record[17] = (uint8_t)((verdict->alert ? 1 : 0) | (verdict->uncalibrated ? 2 : 0) | (verdict->simulated ? 8 : 0) |
                         (verdict->doubtful ? 16 : 0));
  record[18] = verdict->label;
  record[19] = verdict->label_count;
  uint8_t *at = record + 20;
  for (size_t i = 0; i < verdict->label_count; i++, at += 2) {
    store_le16(at, verdict->scores[i]);
  }
  store_le32(at, verdict->latency_us);
  store_le32(at + 4, verdict->inference_us);
  at[8] = verdict->major;
  at[9] = verdict->minor;
  store_le16(at + 10, verdict->revision);
  store_le32(at + 12, verdict->build);
  return begin(record, VERDICT, head, size);
}

size_t records_event(uint8_t *record, size_t capacity, struct records_head head, const struct records_event *event) {
  size_t text = text_fit(event->sentence, strlen(event->sentence), RECORDS_MAX_SENTENCE);
  size_t size = 19 + text;
  if (size > capacity) {
    return 0;
  }
  store_le16(record + 12, event->code);
  record[14] = (uint8_t)event->severity;
  store_le32(record + 15, event->count);
  memcpy(record + 19, event->sentence, text);
  return begin(record, EVENT, head, size);
}

size_t records_clock(uint8_t *record, size_t capacity, struct records_head head, const struct records_clock *clock) {
  size_t size = 36;
  if (size > capacity) {
    return 0;
  }
  store_le64(record + 12, clock->unix_us);
  store_le32(record + 20, clock->lease_left_ms);
  store_le32(record + 24, clock->dropped);
  store_le32(record + 28, clock->captured);
  store_le32(record + 32, clock->lost);
  return begin(record, CLOCK, head, size);
}

int16_t records_centi(float celsius) {
  float centi = rintf(celsius * 100.0f);
  return centi > -32768.0f && centi <= 32767.0f ? (int16_t)centi : (int16_t)RECORDS_NO_TEMPERATURE;
}
