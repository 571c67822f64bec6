/* Telemetry on its way to the host: the lease that allows it, and events kept for the next host while nobody listens.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "counters.h"
#include "framing.h"
#include "records.h"

#define OUTBOX_EVENTS 8

struct outbox_event {
  uint64_t time_us;
  struct records_event event;
};

struct outbox {
  const struct board *board;
  struct counters *counters;
  bool held; /* a lease was granted and not ended, run out or not */
  uint64_t ends_us;
  bool dropped;   /* a record was dropped since somebody last asked */
  bool answering; /* the line may hold an answer, which the end of a lease must not cost */
  uint16_t sequence;
  uint8_t event_count; /* of those kept, one a code; where there is no room, the oldest goes */
  struct outbox_event events[OUTBOX_EVENTS];
  uint8_t record[RECORDS_MAX_BYTES]; /* write here, then call outbox_send */
  uint8_t frame[FRAMING_FRAME_BYTES(RECORDS_MAX_BYTES)];
};

void outbox_init(struct outbox *outbox, const struct board *board, struct counters *counters);

/* Allow sending for so long from now on. */
void outbox_grant(struct outbox *outbox, uint32_t lease_ms);
/* Forbid it, and forget what waits for the line; the line is quiet at once. */
void outbox_end(struct outbox *outbox);
/* End a lease that ran out; counts it. */
void outbox_expire(struct outbox *outbox);
/* Milliseconds left, 0 without a lease. */
uint32_t outbox_left_ms(const struct outbox *outbox);

/* Sequence number and time for the next record. */
struct records_head outbox_head(const struct outbox *outbox, uint64_t time_us);
/* Send the record of `size` bytes in `record`. Where the line has no room it is dropped and counted, and its sequence
   number shows the gap. Without a lease it goes nowhere. */
void outbox_send(struct outbox *outbox, size_t size);
/* Send an event, or keep it for `outbox_flush` in place of an older one of its code: its count says how many there
   were. So the sentence has to stay only until the next event of that code. Overwrites `record`. */
void outbox_event(struct outbox *outbox, uint64_t time_us, const struct records_event *event);
/* Send the events that were kept while nobody listened, if somebody does now. Overwrites `record`. */
void outbox_flush(struct outbox *outbox);

#endif
