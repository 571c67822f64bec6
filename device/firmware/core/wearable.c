/* The main loop: hear the line, poll the sensors, send what they said, sleep until something is due. */
#include "wearable.h"

#include <string.h>

#include "image_group.h"
#include "self_test.h"
#include "wearable_parts.h"

/* Acquisition goes on this long after the last listener left, so that one who returns at once misses nothing. */
#define GRACE_US 2000000U
#define CLOCK_US 1000000U
/* Longest sleep; far below what the watchdog allows. */
#define LONGEST_SLEEP_US 250000U
/* A dropped key frame costs its successors, so new ones follow a drop, but not so often that they fill the line. */
#define KEYS_AFTER_DROP_US 1000000U
/* How long an answer waits for room on a line that nobody reads. */
#define LINE_PATIENCE_US 1000000U
#define LINE_NAP_US 500U
#define HEARD_AT_ONCE 64U
#define CAMERA 0
#define THERMISTORS 1

static uint64_t sooner(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

static void notice(struct wearable *w, enum notice code, enum severity severity, const char *sentence) {
  const struct records_event event = {.code = (uint16_t)code,
                                      .severity = severity,
                                      .count = ++w->notices[code - NOTICE_REQUEST_REFUSED],
                                      .sentence = sentence};
  outbox_event(&w->outbox, w->board->now_us(), &event);
}

/* Use the stored calibration that belongs to the sensor at hand, or none. */
void wearable_use_calibration(struct wearable *w) {
  size_t size;
  const uint8_t *blob = store_calibration(&w->store, STORE_CURRENT, &size);
  correction_none(&w->correction);
  if (blob != NULL && w->camera.has_constants) {
    if (correction_open(blob, size, &w->correction) != STATUS_OK) {
      notice(w, NOTICE_STORAGE, SEVERITY_ERROR, "The stored calibration is damaged; write it again or roll back.");
    } else if (!correction_fits(&w->correction, w->camera.constants.device_id, MLX90640_ID_BYTES,
                                w->camera.sighting.fingerprint)) {
      counters_add(&w->counters, COUNTER_CORRECTION_MISMATCH, 1);
      correction_none(&w->correction);
    }
  }
  thermistor_array_set_curves(&w->thermistors, &w->correction);
  verdicts_reset(&w->verdicts);
}

static void send_subpage(struct wearable *w) {
  const struct camera *camera = &w->camera;
  struct records_subpage subpage = {.sensor = CAMERA,
                                    .number = camera->number,
                                    .control = camera->control,
                                    .index = camera->index,
                                    .generation = camera->sighting.generation};
  subpage.counts_size = counts_encode(&w->encoder, camera->ram, camera->control, camera->number, camera->index,
                                      w->outbox.record + RECORDS_COUNTS_AT, &subpage.key, &subpage.key_index);
  outbox_send(&w->outbox, records_subpage(w->outbox.record, sizeof w->outbox.record,
                                          outbox_head(&w->outbox, camera->time_us), &subpage));
  if (w->outbox.dropped && w->board->now_us() >= w->keys_due_us) {
    w->outbox.dropped = false;
    w->keys_due_us = w->board->now_us() + KEYS_AFTER_DROP_US;
    counts_restart(&w->encoder, 0);
  }
}

static void send_verdict(struct wearable *w, const struct verdict *verdict) {
  const struct model_profile *model = w->profile->model;
  const struct records_verdict record = {.index = verdict->index,
                                         .pictures = verdict->pictures,
                                         .alert = verdict->alert,
                                         .uncalibrated = verdict->uncalibrated,
                                         .simulated = w->board->simulated,
                                         .doubtful = wearable_is_doubtful(w),
                                         .label = verdict->label,
                                         .label_count = w->profile->label_count,
                                         .scores = verdict->scores,
                                         .latency_us = verdict->latency_us,
                                         .inference_us = verdict->inference_us,
                                         .major = model->major,
                                         .minor = model->minor,
                                         .revision = model->revision,
                                         .build = model->build};
  outbox_send(&w->outbox, records_verdict(w->outbox.record, sizeof w->outbox.record,
                                          outbox_head(&w->outbox, verdict->time_us), &record));
}

void wearable_poll_camera(struct wearable *w) {
  struct verdict verdict;
  const bool captured = camera_poll(&w->camera);
  if (w->camera.has_constants && w->camera.sighting.generation != w->generation) {
    w->generation = w->camera.sighting.generation;
    counts_restart(&w->encoder, 0);
    wearable_use_calibration(w);
  }
  if (w->sightings.problem && !w->told_sightings) {
    notice(w, NOTICE_STORAGE, SEVERITY_ERROR,
           "The flash does not keep which sensor was seen; have the device checked.");
  }
  w->told_sightings = w->sightings.problem;
  if (!captured) {
    return;
  }
  w->newest_us = w->camera.time_us;
  send_subpage(w);
  if (verdicts_push(&w->verdicts, &w->camera.constants, &w->correction, w->camera.ram, w->camera.control,
                    w->camera.number, w->camera.index, w->camera.time_us, &verdict)) {
    send_verdict(w, &verdict);
  }
}

static void poll_thermistors(struct wearable *w) {
  const uint64_t free_until_us = camera_due_us(&w->camera);
  if (!thermistor_array_poll(&w->thermistors, free_until_us)) {
    return;
  }
  struct records_channel channels[PROFILE_MAX_CHANNELS];
  const uint8_t count = w->profile->channel_count;
  for (uint8_t i = 0; i < count; i++) {
    const struct thermistor_reading *reading = &w->thermistors.readings[i];
    channels[i].counts = reading->counts;
    channels[i].state = (uint8_t)reading->state;
    channels[i].centi_celsius =
        reading->state == THERMISTOR_OK ? records_centi(reading->celsius) : RECORDS_NO_TEMPERATURE;
  }
  outbox_send(&w->outbox,
              records_thermistors(w->outbox.record, sizeof w->outbox.record,
                                  outbox_head(&w->outbox, w->thermistors.time_us), THERMISTORS, channels, count));
}

static void tell_clock(struct wearable *w, uint64_t now_us) {
  if (now_us < w->clock_due_us) {
    return;
  }
  w->clock_due_us = now_us + CLOCK_US;
  const struct records_clock clock = {.lease_left_ms = outbox_left_ms(&w->outbox),
                                      .dropped = w->counters.counts[COUNTER_TELEMETRY_DROPPED],
                                      .captured = w->counters.counts[COUNTER_SUBPAGES_CAPTURED],
                                      .lost = w->counters.counts[COUNTER_SUBPAGES_LOST]};
  outbox_send(&w->outbox,
              records_clock(w->outbox.record, sizeof w->outbox.record, outbox_head(&w->outbox, now_us), &clock));
}

/* Report faults that were counted, each at most once a second; those in between are in the count. */
static void tell_faults(struct wearable *w, uint64_t now_us) {
  const uint32_t now_s = (uint32_t)(now_us / 1000000U);
  for (uint32_t i = 0; i < COUNTER_FAULTS; i++) {
    const uint32_t count = w->counters.counts[i];
    if (count != w->told[i] && now_s >= w->next_told_s[i]) {
      const struct fault *fault = counters_fault((enum counter)i);
      const struct records_event event = {
          .code = fault->code, .severity = (enum severity)fault->severity, .count = count, .sentence = fault->sentence};
      w->told[i] = count;
      w->next_told_s[i] = now_s + 1;
      outbox_event(&w->outbox, now_us, &event);
    }
  }
}

static void count_line(struct wearable *w) {
  w->counters.counts[COUNTER_LINE_BYTES_DISCARDED] = w->receiver.discarded;
  w->counters.counts[COUNTER_LINE_BAD_PACKETS] = w->receiver.bad_packets;
  w->counters.counts[COUNTER_SERIAL_OVERRUNS] = w->board->serial_overruns();
}

static bool sink(void *context, const uint8_t *data, size_t size) {
  const struct board *board = context;
  return board->serial_write(data, size);
}

/* Wait until the line has room for `room` bytes, or nobody has read for a second. */
static bool line_has_room(struct wearable *w, size_t room) {
  const struct board *board = w->board;
  size_t before = board->serial_room();
  uint64_t until_us = board->now_us() + LINE_PATIENCE_US;
  while (board->serial_room() < room && board->now_us() < until_us) {
    board->watchdog_feed();
    board->wait_until_us(board->now_us() + LINE_NAP_US);
    if (board->serial_room() != before) {
      before = board->serial_room();
      until_us = board->now_us() + LINE_PATIENCE_US;
    }
  }
  return board->serial_room() >= room;
}

static void answer(struct wearable *w, uint8_t *message, size_t size) {
  struct framing_packet packet;
  count_line(w);
  const size_t answered = smp_answer_message(&w->server, message, size, w->answer, sizeof w->answer);
  if (answered == 0) {
    return;
  }
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
  while (!w->reset_wanted && (count = w->board->serial_read(heard, sizeof heard)) > 0) {
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

/* Let sensors work while somebody listens, and rest otherwise. */
static void listen(struct wearable *w, uint64_t now_us) {
  if (outbox_left_ms(&w->outbox) > 0) {
    w->rest_at_us = now_us + GRACE_US;
    if (!w->listening) {
      w->listening = true;
      w->clock_due_us = now_us;
      camera_resume(&w->camera);
      counts_restart(&w->encoder, 0);
      verdicts_reset(&w->verdicts);
    }
  } else if (now_us >= w->rest_at_us) {
    w->listening = false;
  }
}

void wearable_step(struct wearable *w) {
  const struct board *board = w->board;
  board->watchdog_feed();
  hear(w);
  if (w->reset_wanted) {
    line_has_room(w, w->line_room);
    board->reset();
  }
  outbox_expire(&w->outbox);
  listen(w, board->now_us());
  uint64_t due_us = board->now_us() + LONGEST_SLEEP_US;
  if (w->listening || w->camera.state == CAMERA_ABSENT) {
    wearable_poll_camera(w);
    due_us = sooner(due_us, camera_due_us(&w->camera));
  }
  if (w->listening) {
    poll_thermistors(w);
    due_us = sooner(due_us, thermistor_array_due_us(&w->thermistors, camera_due_us(&w->camera)));
    tell_clock(w, board->now_us());
  }
  tell_faults(w, board->now_us());
  outbox_flush(&w->outbox);
  if (w->outbox.held) {
    due_us = sooner(due_us, w->outbox.ends_us);
  }
  board->wait_until_us(due_us);
}

static void on_refusal(void *context, const char *reason) {
  struct wearable *w = context;
  counters_add(&w->counters, COUNTER_REQUESTS_REFUSED, 1);
  notice(w, NOTICE_REQUEST_REFUSED, SEVERITY_WARNING, reason);
}

static void want_reset(void *context) {
  struct wearable *w = context;
  w->reset_wanted = true;
}

void wearable_init(struct wearable *w, const struct board *board, const struct profile *profile) {
  memset(w, 0, sizeof *w);
  w->board = board;
  w->profile = profile;
  store_open(&w->store, board);
  correction_none(&w->correction);
  outbox_init(&w->outbox, board, &w->counters);
  sightings_open(&w->sightings, board, store_pages(&w->store));
  camera_init(&w->camera, board, &w->counters, profile, &w->workspace.settle, &w->sightings);
  thermistor_array_init(&w->thermistors, board, &w->counters, profile);
  const bool averages = verdicts_init(&w->verdicts, board, &w->counters, profile, &w->workspace.verdict) == STATUS_OK;
  counts_restart(&w->encoder, COUNTS_KEY_INTERVAL);
  w->line_room = board->serial_room();

  w->os = (struct smp_os){.name = board->name,
                          .software = WEARABLE_SOFTWARE,
                          .machine = board->platform,
                          .processor = board->processor,
                          .profile = profile->name,
                          .system = "bare metal",
                          .reset = want_reset,
                          .context = w};
  wearable_services_init(w);
  w->group = (struct wearable_group){.board = board,
                                     .profile = profile,
                                     .services = &w->services,
                                     .counters = &w->counters,
                                     .server = &w->server,
                                     .store = &w->store};
  w->groups[0] = smp_os_group(&w->os);
  w->groups[1] = image_group_commands(profile);
  w->groups[2] = wearable_group_commands(&w->group);
  smp_begin(&w->server, w->groups, WEARABLE_GROUPS, board->now_us, on_refusal, w);

  if (board->reset_cause == RESET_WATCHDOG) {
    counters_add(&w->counters, COUNTER_WATCHDOG_RESETS, 1);
    notice(w, NOTICE_PIPELINE_FAILED, SEVERITY_ERROR, "The main loop hung, and the watchdog reset the board.");
  } else if (board->reset_cause == RESET_SOFTWARE) {
    counters_add(&w->counters, COUNTER_RESETS, 1);
  }
  if (!averages) {
    notice(w, NOTICE_MODEL_REJECTED, SEVERITY_ERROR,
           "The profile averages more pictures than the firmware holds, so there is no verdict; build it with fewer.");
  }
  if (w->store.damaged) {
    notice(w, NOTICE_STORAGE, SEVERITY_ERROR, "The newest stored calibration is damaged; write it again.");
  }
}
