/* The order of things in a pass is that of graph/engine.py: findings and the alerts they move, then alerts of signals.
 */
#include "engine.h"

#include <stddef.h>
#include <string.h>

#include "bytes.h"
#include "float32.h"
#include "quality.h"

static void send_alert(struct engine *e, uint8_t number, uint64_t time_us) {
  struct outbox *outbox = e->outbox;
  outbox_send(outbox, records_alert(outbox->record, sizeof outbox->record, outbox_head(outbox, time_us), number,
                                    &e->profile->alert_states[number]));
}

/* Tell of a step of an alert. */
static void step_alert(struct engine *e, uint8_t number, uint64_t time_us) {
  e->alerts_moved = true;
  send_alert(e, number, time_us);
}

static void send_signal(struct engine *e, const struct graph *graph, uint16_t signal) {
  struct outbox *outbox = e->outbox;
  const uint32_t elements = graph->plan->signals[signal].elements;
  struct records_signal part = {
      .signal = (uint8_t)signal, .flags = graph_sample(graph, signal)->flags, .elements = (uint16_t)elements};
  for (uint32_t first = 0; first < elements; first += part.count) {
    const uint32_t left = elements - first;
    part.first = (uint16_t)first;
    part.count = (uint16_t)(left < RECORDS_SIGNAL_VALUES ? left : RECORDS_SIGNAL_VALUES);
    part.values = graph_values(graph, signal) + first;
    outbox_send(outbox, records_signal(outbox->record, sizeof outbox->record,
                                       outbox_head(outbox, (uint64_t)graph->time_us), &part));
  }
}

static void send_finding(struct engine *e, const struct finding *finding) {
  const struct model_origin *origin = &e->profile->origins[finding->model];
  struct records_newest newest[LIMIT_SENSORS];
  uint8_t count = 0;
  for (uint8_t i = 0; i < origin->count; i++) {
    const uint8_t sensor = origin->sensors[i];
    if (e->spoke[sensor]) {
      newest[count++] = (struct records_newest){.sensor = sensor, .index = e->newest[sensor]};
    }
  }
  const uint64_t now_us = board_now_us(e->board);
  const uint64_t time_us = (uint64_t)finding->time_us;
  struct finding said = *finding;
  said.flags |= e->finding_flags;
  const struct records_finding record = {.finding = &said,
                                         .quantities = e->profile->models[finding->model].quantities != NULL,
                                         .bundle = e->bundle,
                                         .latency_us = now_us > time_us ? (uint32_t)(now_us - time_us) : 0,
                                         .inference_us = *origin->took_us,
                                         .newest = newest,
                                         .newest_count = count};
  kept_add(&e->kept, &said, record.quantities);
  struct outbox *outbox = e->outbox;
  outbox_send(outbox, records_finding(outbox->record, sizeof outbox->record, outbox_head(outbox, time_us), &record));
}

static void move(struct engine *e, uint8_t number, float value, uint16_t flags, int64_t time_us) {
  if (alert_push(&e->profile->alerts[number], &e->profile->alert_states[number], value, flags, time_us)) {
    step_alert(e, number, board_now_us(e->board));
  }
}

/* What came before belongs to something else, and does not count any more. */
static void begin_anew(struct engine *e, uint8_t number, int64_t time_us) {
  if (alert_interrupt(&e->profile->alert_states[number], time_us)) {
    step_alert(e, number, board_now_us(e->board));
  }
}

static void conclude(struct engine *e, const struct graph *graph, uint8_t model) {
  const struct finding_model *reads = &e->profile->models[model];
  const struct finding finding =
      finding_read(reads, model, graph_values(graph, reads->reading), graph->plan->signals[reads->reading].elements,
                   graph_sample(graph, reads->reading)->flags, graph->time_us, e->values);
  counters_add(e->counters, COUNTER_FINDINGS, 1);
  send_finding(e, &finding);
  for (uint8_t i = 0; i < e->profile->alert_count; i++) {
    const struct alert_plan *alert = &e->profile->alerts[i];
    if (alert->model != (int8_t)model) {
      continue;
    }
    if (graph_sample(graph, reads->reading)->fresh) {
      begin_anew(e, i, finding.time_us);
    }
    if (finding.count > 0) {
      move(e, i, finding.values[alert->place], finding.flags, finding.time_us);
    }
  }
}

static void end_pass(struct engine *e) {
  for (uint8_t i = 0; i < e->profile->alert_count; i++) {
    if (e->seen[i]) {
      e->seen[i] = false;
      if (e->watched_fresh[i]) {
        begin_anew(e, i, e->watched_us);
      }
      move(e, i, e->watched[i], e->watched_flags[i], e->watched_us);
    }
  }
}

/* Told of each sample while its values are there. The moments of one block come without a word in between. */
static void told(void *context, const struct graph *graph, uint16_t signal) {
  struct engine *e = context;
  if (graph->time_us != e->watched_us) {
    end_pass(e);
    e->watched_us = graph->time_us;
  }
  for (uint8_t i = 0; i < e->wanted_count; i++) {
    if (e->wanted[i] == signal) {
      send_signal(e, graph, signal);
    }
  }
  for (uint8_t i = 0; i < e->profile->alert_count; i++) {
    const struct alert_plan *alert = &e->profile->alerts[i];
    if (alert->model == ALERT_OF_SIGNAL && alert->signal == signal) {
      e->watched[i] = graph_values(graph, signal)[alert->place];
      e->watched_flags[i] = graph_sample(graph, signal)->flags;
      e->watched_fresh[i] = graph_sample(graph, signal)->fresh;
      e->seen[i] = true;
    }
  }
  for (uint8_t model = 0; model < e->profile->model_count; model++) {
    if (e->profile->models[model].reading == signal) {
      conclude(e, graph, model);
    }
  }
}

static void run_waiting(struct engine *e) {
  end_pass(e);
  while (graph_step(&e->graph)) {
    end_pass(e);
  }
}

/* What is known of the wearer comes before the first moment of a sensor. */
static void tell_person(struct engine *e, int64_t time_us) {
  const struct profile *profile = e->profile;
  if (e->told || profile->person_count == 0) {
    return;
  }
  e->told = true;
  for (uint8_t i = 0; i < profile->person_count; i++) {
    const uint16_t signal = (uint16_t)(profile->person_signal + i);
    graph_values(&e->graph, signal)[0] = e->person[profile->person[i]];
    graph_put(&e->graph, signal, 0, false);
  }
  graph_begin(&e->graph, time_us);
  run_waiting(e);
}

void engine_init(struct engine *e, const struct profile *profile, struct outbox *outbox, struct counters *counters,
                 const struct board *board) {
  memset(e, 0, sizeof *e);
  e->profile = profile;
  e->outbox = outbox;
  e->counters = counters;
  e->board = board;
  e->flags = board->simulated ? QUALITY_SIMULATED : 0;
  if (profile->bundle != NULL) {
    e->bundle = load_le32(profile->bundle->image_sha256);
    e->finding_flags |= profile->bundle->waived_count > 0 ? QUALITY_GATE_FAILED : 0;
  }
  for (size_t i = 0; i < PERSON_COUNT; i++) {
    e->person[i] = float32_nothing();
  }
  for (uint8_t i = 0; i < profile->alert_count; i++) {
    profile->alert_states[i] = (struct alert){0};
  }
  kept_open(&e->kept, profile->kept, e->bundle, load_le32(profile->cbor_sha256), board_now_us(board));
  graph_start(&e->graph, profile->graph, told, e);
  e->graph.board = board;
  memset(e->fresh, true, sizeof e->fresh);
}

void engine_reset(struct engine *e) {
  graph_reset(&e->graph);
  memset(e->fresh, true, sizeof e->fresh);
  e->told = false;
  const uint64_t now_us = board_now_us(e->board);
  for (uint8_t i = 0; i < e->profile->alert_count; i++) {
    if (alert_interrupt(&e->profile->alert_states[i], (int64_t)now_us)) {
      step_alert(e, i, now_us);
    }
  }
}

/* A sensor at another rate is none with gaps: the graph begins anew at that rate, and alerts stand where they stood. */
static void follow_rate(struct engine *e, const struct sensor *sensor) {
  if (sensor->driver->set_rate == NULL) {
    return;
  }
  struct sensor_status now = {0};
  sensor->driver->status(sensor, &now);
  const uint32_t rate_mhz = (uint32_t)(now.rate_hz * 1000.0F + 0.5F);
  const uint32_t before = graph_rate_mhz(&e->graph, sensor->number);
  if (before != 0 && rate_mhz != 0 && rate_mhz != before) {
    graph_set_rate(&e->graph, sensor->number, rate_mhz);
    memset(e->fresh, true, sizeof e->fresh);
    e->told = false;
  }
}

void engine_refresh(struct engine *e, uint8_t sensor) {
  e->fresh[sensor] = true;
}

void engine_push(struct engine *e, const struct sensor *sensor, const struct sensor_block *block, uint16_t flags) {
  const uint8_t number = sensor->number;
  follow_rate(e, sensor);
  tell_person(e, (int64_t)block->time_us);
  /* The newest block counts while the block is concluded of, and only where it gives something. */
  const uint32_t before = e->newest[number];
  const bool spoke = e->spoke[number];
  e->newest[number] = block->index;
  e->spoke[number] = true;
  if (!sensor->driver->read(sensor, &e->graph, (uint16_t)(e->flags | flags), e->fresh[number])) {
    e->newest[number] = before;
    e->spoke[number] = spoke;
    return;
  }
  e->fresh[number] = false;
  run_waiting(e);
}

void engine_acknowledge(struct engine *e, uint8_t alert) {
  const uint64_t now_us = board_now_us(e->board);
  if (alert_acknowledge(&e->profile->alert_states[alert], (int64_t)now_us)) {
    step_alert(e, alert, now_us);
  }
}

void engine_tell_alerts(struct engine *e) {
  for (uint8_t i = 0; i < e->profile->alert_count; i++) {
    send_alert(e, i, board_now_us(e->board));
  }
}
