/* Telemetry records (docs/wire.md) written into a buffer. Each function returns the record's length in bytes, or 0
   where it does not fit `capacity` or a value does not fit the wire. */
#ifndef RECORDS_H
#define RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts.h"
#include "findings.h"
#include "wire_table.h"

#define RECORDS_HEADER_BYTES 12
#define RECORDS_BLOCK_AT 19 /* where a block's data begin; write them there first */
#define RECORDS_MAX_BLOCK 960
#define RECORDS_SIGNAL_AT 19
#define RECORDS_SIGNAL_VALUES 240                                /* in one record; the wire allows SIGNAL_VALUES */
#define RECORDS_MAX_BYTES (RECORDS_BLOCK_AT + RECORDS_MAX_BLOCK) /* longest record of any type */

struct records_head {
  uint16_t sequence;
  uint64_t time_us;
};

struct records_block {
  uint8_t sensor;
  uint32_t constants; /* their number; travels modulo 65536 */
  uint32_t index;
  size_t size; /* bytes already written at RECORDS_BLOCK_AT */
};

struct records_signal {
  uint8_t signal;
  uint16_t flags;
  uint16_t elements; /* of the whole sample */
  uint16_t first;    /* place of the first number of this part */
  uint16_t count;
  const float *values; /* of this part */
};

/* A sensor a finding rests on, and its newest block. */
struct records_newest {
  uint8_t sensor;
  uint32_t index;
};

struct records_finding {
  const struct finding *finding;
  bool quantities; /* the values are; otherwise they are scores */
  uint32_t bundle; /* first bytes of its image's SHA-256 */
  uint32_t latency_us, inference_us;
  const struct records_newest *newest;
  uint8_t newest_count;
};

struct records_event {
  uint16_t code;
  enum severity severity;
  uint8_t sensor; /* it is about; NO_SENSOR for none */
  uint32_t count;
  const char *sentence; /* UTF-8, cut to MAX_EVENT_TEXT */
};

struct records_clock {
  uint64_t unix_us; /* 0: not known */
  uint32_t lease_left_ms, dropped, captured, lost;
};

/* The header around data that are already in place. */
size_t records_block(uint8_t *record, size_t capacity, struct records_head head, const struct records_block *block);
size_t records_signal(uint8_t *record, size_t capacity, struct records_head head, const struct records_signal *signal);
size_t records_finding(uint8_t *record, size_t capacity, struct records_head head,
                       const struct records_finding *finding);
size_t records_alert(uint8_t *record, size_t capacity, struct records_head head, uint8_t number,
                     const struct alert *alert);
size_t records_event(uint8_t *record, size_t capacity, struct records_head head, const struct records_event *event);
size_t records_clock(uint8_t *record, size_t capacity, struct records_head head, const struct records_clock *clock);

#endif
