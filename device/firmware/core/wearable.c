/* What is kept over a reset, and what holds of each sensor's constants and correction. */
#include "wearable.h"

#include <string.h>

#include "bytes.h"

void wearable_notice(struct wearable *w, enum notice code, enum severity severity, uint8_t sensor,
                     const char *sentence) {
  const struct records_event event = {.code = (uint16_t)code,
                                      .severity = severity,
                                      .sensor = sensor,
                                      .count = ++w->notices[(int)code - (int)NOTICE_FIRST],
                                      .sentence = sentence};
  outbox_event(&w->outbox, board_now_us(w->board), &event);
}

/* Open the stored correction of a sensor: EMPTY where there is none, WRONG_SENSOR where it is of another chip or other
   constants. */
static enum status stored_correction(const struct wearable *w, uint8_t sensor, const struct sensor_status *now,
                                     struct correction *correction) {
  const struct flash_span blob = store_get(&w->sensors[sensor].store, STORE_CURRENT);
  if (blob.size == 0) {
    return STATUS_EMPTY;
  }
  if (correction_open(&blob, correction) != STATUS_OK) {
    return STATUS_DAMAGED;
  }
  return correction_fits(correction, now->id, now->id_size, now->fingerprint) ? STATUS_OK : STATUS_WRONG_SENSOR;
}

/* What was learned with other constants or another correction of a sensor is not known any more. */
static void measured(struct wearable *w, uint8_t sensor, bool corrected) {
  const struct learning *learning = w->profile->learning;
  const struct flash_span blob = store_get(&w->sensors[sensor].store, STORE_CURRENT);
  uint8_t crc[4] = {0};
  if (learning == NULL) {
    return;
  }
  if (corrected) {
    flash_span_read(&blob, blob.size - sizeof crc, crc, sizeof crc);
  }
  learning->measures[sensor] = (struct learned_measure){
      .constants = w->sensors[sensor].fingerprint, .correction = load_le32(crc), .known = true};
  if (learning->operations->measured(learning, sensor, learning->measures) > 0) {
    wearable_notice(w, NOTICE_BASELINE, SEVERITY_WARNING, sensor, learning->operations->other_sensors);
  }
}

void wearable_use_correction(struct wearable *w, uint8_t sensor) {
  const struct sensor *one = &w->profile->sensors[sensor];
  struct wearable_sensor *state = &w->sensors[sensor];
  struct sensor_status now = {0};
  struct correction correction;
  one->driver->status(one, &now);
  state->constants = now.constants;
  state->fingerprint = now.fingerprint;
  state->known = now.id_size > 0;
  state->vouched = false;
  engine_refresh(&w->engine, sensor);
  if (one->driver->correct == NULL || !state->known) {
    if (state->known) {
      measured(w, sensor, false);
    }
    return;
  }
  const enum status status = stored_correction(w, sensor, &now, &correction);
  if (status == STATUS_DAMAGED) {
    wearable_notice(w, NOTICE_STORAGE, SEVERITY_ERROR, sensor,
                    "The stored correction is damaged; write it again or roll back.");
  } else if (status == STATUS_WRONG_SENSOR) {
    w->counters.sensor = sensor;
    counters_add(&w->counters, COUNTER_CORRECTION_MISMATCH, 1);
    w->counters.sensor = NO_SENSOR;
  }
  one->driver->correct(one, status == STATUS_OK ? &correction : NULL);
  const bool corrected = status == STATUS_OK && one->driver->corrected(one);
  state->vouched = corrected && correction.fingerprint == now.fingerprint;
  measured(w, sensor, corrected);
  if (one->driver->restart != NULL) {
    one->driver->restart(one, 0); /* blocks are read anew, here and by whoever listens */
  }
}

bool wearable_warning(const struct wearable *w, uint8_t sensor, struct text *warning) {
  const struct sensor *one = &w->profile->sensors[sensor];
  struct sensor_status now = {0};
  one->driver->status(one, &now);
  if (w->sensors[sensor].vouched || (!now.changed && now.strange == 0)) {
    return false;
  }
  if (now.changed) {
    text_add(warning, counters_fault(COUNTER_CONSTANTS_CHANGED)->sentence);
  } else {
    const uint8_t address[2] = {(uint8_t)(now.strange >> 8), (uint8_t)now.strange};
    text_add(warning, "EEPROM word 0x");
    text_add_hex(warning, address, sizeof address);
    text_add(warning, " is no known sensor's; values may be wrong.");
  }
  return true;
}

void wearable_keep_alerts(struct wearable *w, bool at_once) {
  if (w->engine.alerts_moved || at_once) {
    w->engine.alerts_moved = !alert_store_keep(&w->alerts, board_now_us(w->board), at_once);
  }
  if (w->alerts.journal.problem && !w->told_alerts) {
    wearable_notice(w, NOTICE_STORAGE, SEVERITY_ERROR, NO_SENSOR,
                    "The flash does not keep which alerts are raised; have the device checked.");
  }
  w->told_alerts = w->alerts.journal.problem;
}

bool wearable_keep_learned(struct wearable *w, bool at_once) {
  const struct learning *learning = w->profile->learning;
  if (learning == NULL) {
    return true;
  }
  const bool kept = learning->operations->keep(learning, board_now_us(w->board), at_once);
  if (!kept && !w->told_learned) {
    wearable_notice(w, NOTICE_STORAGE, SEVERITY_ERROR, NO_SENSOR, learning->operations->not_kept);
  }
  w->told_learned = !kept;
  return kept;
}

void wearable_restart_keys(struct wearable *w, uint16_t key_interval) {
  for (uint8_t i = 0; i < w->profile->sensor_count; i++) {
    const struct sensor *sensor = &w->profile->sensors[i];
    if (sensor->driver->restart != NULL) {
      sensor->driver->restart(sensor, key_interval);
    }
  }
}

/* Whether bytes in flash are a correction that the sensor could have. */
static bool holds_correction(const void *context, const struct flash_span *data) {
  const struct sensor *sensor = context;
  struct correction correction;
  return correction_open(data, &correction) == STATUS_OK && correction.kind == sensor->driver->correction_kind &&
         sensor->driver->possible(sensor, &correction);
}

static bool load_person(const struct flash_span *kept, float values[PERSON_COUNT]) {
  uint8_t bytes[PERSON_BYTES];
  if (kept->size != sizeof bytes) {
    return false;
  }
  flash_span_read(kept, 0, bytes, sizeof bytes);
  return person_load(bytes, sizeof bytes, values);
}

static bool holds_person(const void *context, const struct flash_span *data) {
  (void)context;
  float values[PERSON_COUNT];
  return load_person(data, values);
}

/* Blocks that what is learned of the wearer takes. */
static size_t open_learned(struct wearable *w, size_t block, size_t end) {
  const struct learning *learning = w->profile->learning;
  uint32_t unfit;
  if (learning == NULL) {
    return 0;
  }
  memset(learning->measures, 0, w->profile->sensor_count * sizeof learning->measures[0]);
  const size_t blocks = learning->operations->open(learning, &w->engine.graph, &w->board->flash, block, end,
                                                   board_now_us(w->board), &unfit);
  if (unfit > 0) {
    wearable_notice(w, NOTICE_BASELINE, SEVERITY_WARNING, NO_SENSOR, learning->operations->unfit);
  }
  if (blocks == 0) {
    wearable_notice(w, NOTICE_STORAGE, SEVERITY_ERROR, NO_SENSOR, learning->operations->no_room);
    w->told_learned = true;
  }
  return blocks;
}

/* Share the flash out: corrections in the order of the sensors, then the wearer, where alerts stand and what was
   learned of the wearer; sightings lie at its end. */
static void open_stores(struct wearable *w) {
  const struct flash *flash = &w->board->flash;
  const size_t end = flash->block_count > JOURNAL_BLOCKS ? flash->block_count - JOURNAL_BLOCKS : 0;
  size_t block = 0;
  for (uint8_t i = 0; i < w->profile->sensor_count; i++) {
    const struct sensor *sensor = &w->profile->sensors[i];
    struct wearable_sensor *state = &w->sensors[i];
    const size_t most = sensor->driver->correction_kind == 0 ? 0 : sensor->driver->correction_bytes;
    state->kind = (struct store_kind){.least = CORRECTION_FRAME_BYTES,
                                      .most = CORRECTION_FRAME_BYTES + most,
                                      .holds = holds_correction,
                                      .context = sensor};
    store_open(&state->store, flash, &state->kind, block, most > 0 ? end : 0);
    block += store_blocks(&state->store);
  }
  w->person_kind = (struct store_kind){.least = PERSON_BYTES, .most = PERSON_BYTES, .holds = holds_person};
  store_open(&w->person, flash, &w->person_kind, block, w->profile->person_count > 0 ? end : 0);
  block += store_blocks(&w->person);
  alert_store_open(&w->alerts, flash, block, end, w->profile, board_now_us(w->board));
  block += alert_store_blocks(&w->alerts);
  block += open_learned(w, block, end);
  sightings_open(&w->sightings, flash, block);
}

static void open_person(struct wearable *w) {
  const struct flash_span kept = store_get(&w->person, STORE_CURRENT);
  if (kept.size > 0) {
    load_person(&kept, w->engine.person);
  }
}

void wearable_open(struct wearable *w, const struct board *board, const struct profile *profile,
                   struct wearable_sensor *sensors) {
  memset(w, 0, sizeof *w);
  memset(sensors, 0, profile->sensor_count * sizeof *sensors);
  w->board = board;
  w->profile = profile;
  w->sensors = sensors;
  counters_init(&w->counters);
  outbox_init(&w->outbox, board, &w->counters);
  engine_init(&w->engine, profile, &w->outbox, &w->counters, board);
  open_stores(w);
  open_person(w);
  w->context = (struct sensor_context){.board = board,
                                       .counters = &w->counters,
                                       .sightings = &w->sightings,
                                       .switchboard = profile->switchboard,
                                       .scratch = w->scratch};
  if (profile->switchboard != NULL) {
    multiplexer_start(profile->switchboard);
  }
  for (uint8_t i = 0; i < profile->sensor_count; i++) {
    profile->sensors[i].driver->init(&profile->sensors[i], &w->context);
  }
  for (uint8_t i = 0; i < profile->sensor_count; i++) {
    if (sensors[i].store.damaged) {
      wearable_notice(w, NOTICE_STORAGE, SEVERITY_ERROR, i, "The newest stored correction is damaged; write it again.");
    }
  }
}
