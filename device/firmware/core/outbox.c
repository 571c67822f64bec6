/* Records become frames and go to the line, or are dropped whole: nothing waits but what the board's ring holds. */
#include "outbox.h"

#include <string.h>

/* Ends a line or frame that was cut short, so that what follows is whole. */
static const uint8_t resync[] = {'\n', 0};

void outbox_init(struct outbox *o, const struct board *board, struct counters *counters) {
  memset(o, 0, sizeof *o);
  o->board = board;
  o->counters = counters;
}

void outbox_grant(struct outbox *o, uint32_t lease_ms) {
  o->held = true;
  o->ends_us = board_now_us(o->board) + 1000ULL * lease_ms;
}

void outbox_end(struct outbox *o) {
  o->held = false;
  board_serial_discard(o->board);
  board_serial_write(o->board, resync, sizeof resync);
}

void outbox_expire(struct outbox *o) {
  if (o->held && outbox_left_ms(o) == 0) {
    counters_add(o->counters, COUNTER_LEASES_EXPIRED, 1);
    if (o->answering) {
      o->held = false;
    } else {
      outbox_end(o);
    }
  }
}

uint32_t outbox_left_ms(const struct outbox *o) {
  const uint64_t now_us = board_now_us(o->board);
  return o->held && o->ends_us > now_us ? ((uint32_t)(o->ends_us - now_us) + 999U) / 1000U : 0;
}

struct records_head outbox_head(const struct outbox *o, uint64_t time_us) {
  return (struct records_head){.sequence = o->sequence, .time_us = time_us};
}

static void send(struct outbox *o, size_t size) {
  if (size == 0) { /* a record that does not fit the wire takes no number, and none of its neighbours with it */
    counters_add(o->counters, COUNTER_RECORDS_UNSENDABLE, 1);
    return;
  }
  const size_t framed = framing_encode_frame(o->record, size, o->frame, sizeof o->frame);
  o->sequence++;
  if (framed == 0 || !board_serial_write(o->board, o->frame, framed)) {
    counters_add(o->counters, COUNTER_TELEMETRY_DROPPED, 1);
    o->dropped = true;
  }
}

void outbox_send(struct outbox *o, size_t size) {
  if (outbox_left_ms(o) > 0) {
    send(o, size);
  }
}

void outbox_flush(struct outbox *o) {
  if (outbox_left_ms(o) == 0) {
    return;
  }
  for (uint8_t i = 0; i < o->event_count; i++) {
    const struct outbox_event *kept = &o->events[i];
    send(o, records_event(o->record, sizeof o->record, outbox_head(o, kept->time_us), &kept->event));
  }
  o->event_count = 0;
}

static void forget(struct outbox *o, uint8_t at) {
  o->event_count--;
  memmove(&o->events[at], &o->events[at + 1], (size_t)(o->event_count - at) * sizeof o->events[0]);
}

void outbox_event(struct outbox *o, uint64_t time_us, const struct records_event *event) {
  for (uint8_t i = 0; i < o->event_count; i++) {
    if (o->events[i].event.code == event->code) {
      forget(o, i);
      break;
    }
  }
  if (o->event_count == OUTBOX_EVENTS) {
    forget(o, 0);
  }
  o->events[o->event_count++] = (struct outbox_event){.time_us = time_us, .event = *event};
  outbox_flush(o);
}
