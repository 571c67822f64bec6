/* The main loop: hear the line, poll the sensors, send what they said, sleep until something is due. */
#include "agent.h"

#include <string.h>

#include "image_group.h"
#include "quality.h"
#include "wearable_group.h"

/* Acquisition goes on this long after the last listener left, so that one who returns at once misses nothing. */
#define CLOCK_US 1000000U
/* Longest sleep; far below what the watchdog allows. */
#define LONGEST_SLEEP_US 250000U
/* A dropped key frame costs its successors, so new ones follow a drop, but not so often that they fill the line. */
#define KEYS_AFTER_DROP_US 1000000U
/* How long an answer waits for room on a line that nobody reads. */
#define LINE_PATIENCE_US 1000000U
#define LINE_NAP_US 500U
#define HEARD_AT_ONCE 64U

static uint64_t sooner(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

static bool is_doubtful(const struct wearable *w, uint8_t sensor) {
  char byte;
  struct text nothing;
  text_begin(&nothing, &byte, 1);
  return wearable_warning(w, sensor, &nothing);
}

static void send_block(struct wearable *w, const struct sensor *sensor, const struct sensor_block *block) {
  struct outbox *outbox = &w->outbox;
  const struct records_block record = {.sensor = sensor->number,
                                       .constants = w->sensors[sensor->number].constants,
                                       .index = block->index,
                                       .size = sensor->driver->pack(sensor, outbox->record + RECORDS_BLOCK_AT)};
  outbox_send(outbox,
              records_block(outbox->record, sizeof outbox->record, outbox_head(outbox, block->time_us), &record));
  if (outbox->dropped && board_now_us(w->board) >= w->keys_due_us) {
    outbox->dropped = false;
    w->keys_due_us = board_now_us(w->board) + KEYS_AFTER_DROP_US;
    wearable_restart_keys(w, 0);
  }
}

/* Notice another chip, or other constants, before anything is read with the old ones. */
static void look_at_constants(struct wearable *w, const struct sensor *sensor) {
  const struct wearable_sensor *state = &w->sensors[sensor->number];
  struct sensor_status now = {0};
  sensor->driver->status(sensor, &now);
  if (now.id_size > 0 && (!state->known || now.constants != state->constants)) {
    wearable_use_correction(w, sensor->number);
  }
  if (w->sightings.journal.problem && !w->told_sightings) {
    wearable_notice(w, NOTICE_STORAGE, SEVERITY_ERROR, sensor->number,
                    "The flash does not keep which sensor was seen; have the device checked.");
  }
  w->told_sightings = w->sightings.journal.problem;
}

static void poll(struct wearable *w, const struct sensor *sensor, uint64_t free_until_us) {
  struct sensor_block block;
  w->counters.sensor = sensor->number;
  const bool captured = sensor->driver->poll(sensor, free_until_us, &block);
  look_at_constants(w, sensor);
  if (captured && w->sensors[sensor->number].known) {
    w->counters.sensor = sensor->number;
    send_block(w, sensor, &block);
    engine_push(&w->engine, sensor, &block, is_doubtful(w, sensor->number) ? QUALITY_SUSPECT : 0);
  }
  w->counters.sensor = NO_SENSOR;
}

/* When the bus is next needed by what cannot wait, other than this sensor. */
static uint64_t free_until_us(const struct wearable *w, const struct sensor *but) {
  uint64_t until_us = UINT64_MAX;
  for (uint8_t i = 0; i < w->profile->sensor_count; i++) {
    const struct sensor *sensor = &w->profile->sensors[i];
    if (sensor != but && sensor->driver->urgent) {
      until_us = sooner(until_us, sensor->driver->due_us(sensor, UINT64_MAX));
    }
  }
  return until_us;
}

/* Whether a sensor was never reached or is lost: it is sought whether somebody listens or not. */
static bool is_sought(const struct wearable *w, const struct sensor *sensor) {
  struct sensor_status now = {0};
  sensor->driver->status(sensor, &now);
  return now.fault != NULL || !w->sensors[sensor->number].known;
}

static bool is_looked_after(const struct wearable *w, const struct sensor *sensor) {
  return w->listening || is_sought(w, sensor);
}

/* Look after all sensors once, the urgent ones first; when one is due again. */
static uint64_t poll_sensors(struct wearable *w) {
  uint64_t due_us = UINT64_MAX;
  for (int urgent = 1; urgent >= 0; urgent--) {
    for (uint8_t i = 0; i < w->profile->sensor_count; i++) {
      const struct sensor *sensor = &w->profile->sensors[i];
      if (sensor->driver->urgent == (urgent != 0) && is_looked_after(w, sensor)) {
        poll(w, sensor, free_until_us(w, sensor));
      }
    }
  }
  for (uint8_t i = 0; i < w->profile->sensor_count; i++) {
    const struct sensor *sensor = &w->profile->sensors[i];
    if (is_looked_after(w, sensor)) {
      due_us = sooner(due_us, sensor->driver->due_us(sensor, free_until_us(w, sensor)));
    }
  }
  return due_us;
}

static void tell_clock(struct wearable *w, uint64_t now_us) {
  if (now_us < w->clock_due_us) {
    return;
  }
  w->clock_due_us = now_us + CLOCK_US;
  const struct records_clock clock = {.lease_left_ms = outbox_left_ms(&w->outbox),
                                      .dropped = w->counters.counts[COUNTER_TELEMETRY_DROPPED],
                                      .captured = w->counters.counts[COUNTER_BLOCKS_CAPTURED],
                                      .lost = w->counters.counts[COUNTER_BLOCKS_LOST]};
  outbox_send(&w->outbox,
              records_clock(w->outbox.record, sizeof w->outbox.record, outbox_head(&w->outbox, now_us), &clock));
}

/* Report faults that were counted, each about once a second at most; those in between are in the count. */
static void tell_faults(struct wearable *w, uint64_t now_us) {
  const uint32_t now_s = (uint32_t)(now_us >> 20); /* of 1.05 s */
  for (uint32_t i = 0; i < COUNTER_FAULTS; i++) {
    const uint32_t count = w->counters.counts[i];
    if (count != w->told[i] && now_s >= w->next_told_s[i]) {
      const struct fault *fault = counters_fault((enum counter)i);
      const struct records_event event = {.code = fault->code,
                                          .severity = (enum severity)fault->severity,
                                          .sensor = w->counters.sensors[i],
                                          .count = count,
                                          .sentence = fault->sentence};
      w->told[i] = count;
      w->next_told_s[i] = now_s + 1;
      outbox_event(&w->outbox, now_us, &event);
    }
  }
}

static void count_line(struct wearable *w) {
  w->counters.counts[COUNTER_LINE_BYTES_DISCARDED] = w->receiver.discarded;
  w->counters.counts[COUNTER_LINE_BAD_PACKETS] = w->receiver.bad_packets;
  w->counters.counts[COUNTER_SERIAL_OVERRUNS] = board_serial_overruns(w->board);
}

static bool sink(void *context, const uint8_t *data, size_t size) {
  const struct board *board = context;
  return board_serial_write(board, data, size);
}

/* Wait until the line has room for `room` bytes, or nobody has read for a second. */
static bool line_has_room(struct wearable *w, size_t room) {
  const struct board *board = w->board;
  size_t before = board_serial_room(board);
  uint64_t until_us = board_now_us(board) + LINE_PATIENCE_US;
  while (board_serial_room(board) < room && board_now_us(board) < until_us) {
    board_watchdog_feed(board);
    board_wait_until_us(board, board_now_us(board) + LINE_NAP_US);
    if (board_serial_room(board) != before) {
      before = board_serial_room(board);
      until_us = board_now_us(board) + LINE_PATIENCE_US;
    }
  }
  return board_serial_room(board) >= room;
}

static void answer(struct wearable *w, uint8_t *message, size_t size) {
  struct framing_packet packet;
  count_line(w);
  const size_t answered = smp_answer_message(&w->server, message, size, w->answer, sizeof w->answer);
  if (answered == 0) {
    return;
  }
  w->outbox.answering = true;
  framing_begin_packet(&packet, w->answer, answered);
  while (!framing_send_packet(&packet, sink, (void *)w->board)) {
    if (!line_has_room(w, FRAMING_LINE_BYTES)) {
      return; /* nobody reads; the receiver drops what it has of the packet */
    }
  }
}

static void hear(struct wearable *w) {
  uint8_t heard[HEARD_AT_ONCE];
  size_t count;
  while (!w->reset_wanted && (count = board_serial_read(w->board, heard, sizeof heard)) > 0) {
    for (size_t at = 0; at < count && !w->reset_wanted;) {
      size_t message_size;
      at += framing_receive(&w->receiver, heard + at, count - at, &message_size);
      if (message_size > 0) {
        answer(w, framing_message(&w->receiver), message_size);
      }
    }
  }
  count_line(w);
}

static void resume(struct wearable *w) {
  for (uint8_t i = 0; i < w->profile->sensor_count; i++) {
    const struct sensor *sensor = &w->profile->sensors[i];
    if (sensor->driver->resume != NULL) {
      w->counters.sensor = i;
      sensor->driver->resume(sensor);
      w->counters.sensor = NO_SENSOR;
    }
  }
  wearable_restart_keys(w, 0);
  engine_reset(&w->engine);
}

/* Let sensors work while somebody listens, and while findings are kept for a host that fell silent; and rest otherwise.
 */
static void listen(struct wearable *w, uint64_t now_us) {
  if (outbox_left_ms(&w->outbox) > 0) {
    w->rest_at_us = now_us + (w->engine.kept.ring != NULL ? KEPT_US : WEARABLE_GRACE_US);
    if (!w->listening) {
      w->listening = true;
      w->clock_due_us = now_us;
      resume(w);
    }
    if (w->alerts_wanted) {
      w->alerts_wanted = false;
      engine_tell_alerts(&w->engine);
    }
  } else if (now_us >= w->rest_at_us) {
    w->listening = false;
  }
}

void agent_step(struct wearable *w) {
  const struct board *board = w->board;
  board_watchdog_feed(board);
  hear(w);
  if (w->reset_wanted) {
    wearable_keep_alerts(w, true);
    (void)wearable_keep_learned(w, true);
    line_has_room(w, w->line_room);
    board_reset(board);
  }
  w->outbox.answering = w->outbox.answering && board_serial_room(board) < w->line_room;
  outbox_expire(&w->outbox);
  listen(w, board_now_us(board));
  const uint64_t due_at_most_us = board_now_us(board) + LONGEST_SLEEP_US;
  uint64_t due_us = sooner(due_at_most_us, poll_sensors(w));
  if (w->listening) {
    tell_clock(w, board_now_us(board));
  }
  wearable_keep_alerts(w, false);
  (void)wearable_keep_learned(w, false);
  if (w->update != NULL && w->update->is_overdue(w->update->context, board_now_us(board))) {
    w->reset_wanted = true; /* what ran before starts again */
  }
  tell_faults(w, board_now_us(board));
  outbox_flush(&w->outbox);
  if (w->outbox.held) {
    due_us = sooner(due_us, w->outbox.ends_us);
  }
  board_wait_until_us(board, due_us);
}

void agent_offer_update(struct wearable *w, const struct update *update) {
  w->update = update;
  if (update != NULL) {
    w->groups[1] = update->images;
    w->os.has_slots = true;
    w->os.models_target = update->target;
    w->os.models_structures = update->structures;
  }
}

static void on_refusal(void *context, const char *reason) {
  struct wearable *w = context;
  counters_add(&w->counters, COUNTER_REQUESTS_REFUSED, 1);
  wearable_notice(w, NOTICE_REQUEST_REFUSED, SEVERITY_WARNING, NO_SENSOR, reason);
}

static uint64_t now_us(void *context) {
  const struct wearable *w = context;
  return board_now_us(w->board);
}

static void want_reset(void *context) {
  struct wearable *w = context;
  w->reset_wanted = true;
}

void agent_init(struct wearable *w, const struct board *board, const struct profile *profile,
                struct wearable_sensor *sensors) {
  wearable_open(w, board, profile, sensors);
  w->line_room = board_serial_room(board);

  w->os = (struct smp_os){.name = board->name,
                          .software = WEARABLE_SOFTWARE,
                          .machine = board->platform,
                          .processor = board->processor,
                          .profile = profile->name,
                          .system = "bare metal",
                          .reset = want_reset,
                          .context = w};
  w->groups[0] = smp_os_group(&w->os);
  w->groups[1] = image_group_commands(profile);
  w->groups[2] = wearable_group_commands(w);
  smp_begin(&w->server, w->groups, WEARABLE_GROUPS, now_us, on_refusal, w);

  if (board->reset_cause == RESET_WATCHDOG) {
    counters_add(&w->counters, COUNTER_WATCHDOG_RESETS, 1);
    wearable_notice(w, NOTICE_PIPELINE_FAILED, SEVERITY_ERROR, NO_SENSOR,
                    "The main loop hung, and the watchdog reset the board.");
  } else if (board->reset_cause == RESET_SOFTWARE) {
    counters_add(&w->counters, COUNTER_RESETS, 1);
  }
}
