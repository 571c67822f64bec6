/* Telemetry records (docs/wire.md) written into a buffer. Each function returns the record's length in bytes, or 0
   where it does not fit `capacity` or a value does not fit the wire. */
#ifndef RECORDS_H
#define RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"

#define RECORDS_HEADER_BYTES 12
#define RECORDS_COUNTS_AT 28 /* where packed counts begin in a subpage record; write them there first */
#define RECORDS_MAX_COUNTS 898
#define RECORDS_MAX_SENTENCE 512
#define RECORDS_MAX_BYTES (RECORDS_COUNTS_AT + RECORDS_MAX_COUNTS) /* longest record of any type */

#define RECORDS_NO_TEMPERATURE INT16_MIN

struct records_head {
  uint16_t sequence;
  uint64_t time_us;
};

struct records_subpage {
  uint8_t sensor;
  uint8_t number; /* 0 or 1 */
  bool key;
  uint16_t control;
  uint32_t index;
  uint32_t key_index;  /* equals `index` where `key` */
  uint32_t generation; /* of the sensor's constants */
  size_t counts_size;  /* bytes already written at RECORDS_COUNTS_AT */
};

struct records_channel {
  int16_t counts;
  uint8_t state; /* 0 ok, 1 open, 2 shorted, 3 missing */
  int16_t centi_celsius;
};

struct records_verdict {
  uint32_t index;
  uint8_t pictures;
  bool alert, uncalibrated, simulated, doubtful;
  uint8_t label;
  uint8_t label_count;
  const uint16_t *scores; /* 65535 is 1 */
  uint32_t latency_us, inference_us;
  uint8_t major, minor;
  uint16_t revision;
  uint32_t build;
};

struct records_event {
  uint16_t code;
  enum severity severity;
  uint32_t count;
  const char *sentence; /* UTF-8, cut to RECORDS_MAX_SENTENCE */
};

struct records_clock {
  uint64_t unix_us; /* 0: not known */
  uint32_t lease_left_ms, dropped, captured, lost;
};

/* The header around counts that are already in place. */
size_t records_subpage(uint8_t *record, size_t capacity, struct records_head head,
                       const struct records_subpage *subpage);
size_t records_thermistors(uint8_t *record, size_t capacity, struct records_head head, uint8_t sensor,
                           const struct records_channel *channels, uint8_t channel_count);
size_t records_verdict(uint8_t *record, size_t capacity, struct records_head head,
                       const struct records_verdict *verdict);
size_t records_event(uint8_t *record, size_t capacity, struct records_head head, const struct records_event *event);
size_t records_clock(uint8_t *record, size_t capacity, struct records_head head, const struct records_clock *clock);

/* Hundredths of a degree as records carry them; RECORDS_NO_TEMPERATURE for NaN and what does not fit. */
int16_t records_centi(float celsius);

#endif
