/* Bringing up, finding again, numbering and counting. */
#include "attended.h"

#include <math.h>
#include <string.h>

#include "bytes.h"
#include "crc.h"
#include "float32.h"
#include "own_identity.h"

/* Pauses between attempts to reach a chip that does not answer; they double from the first to the last. */
#define FIRST_RETRY_US 20000U
#define LAST_RETRY_US 1000000U
/* How often a reading that cannot be is asked for again before it counts as lost. */
#define TRIES 3
/* Few, because one chip that is missing must not hold up the others. */
#define ATTEMPTS 2
#define FIRST_COST_US 500U
/* A visit that took longer met a fault, which says nothing about the next. */
#define LARGEST_COST_US 20000U
#define SECOND_US 1000000U

static struct attended *of(const struct sensor *sensor) {
  return sensor->state;
}

void attended_init(const struct sensor *sensor, const struct sensor_context *context,
                   const struct attended_plan *plan) {
  struct attended *a = of(sensor);
  memset(a, 0, sizeof *a);
  a->context = context;
  a->plan = *plan;
  a->bus = (struct bus){
      .board = context->board, .counters = context->counters, .address = plan->address, .attempts = ATTEMPTS};
  sensor_route(sensor, context, &a->bus);
  a->retry_us = FIRST_RETRY_US;
  a->cost_us = FIRST_COST_US;
  a->due_us = board_now_us(context->board);
  sightings_recall(context->sightings, &a->sighted, sensor->number);
}

static uint32_t fingerprint(const uint16_t *words, size_t count) {
  uint32_t crc = 0;
  for (size_t i = 0; i < count; i++) {
    uint8_t word[2];
    store_le16(word, words[i]);
    crc = crc32_update(crc, word, sizeof word);
  }
  return crc;
}

/* Number what was read just now, and say whether it, or the chip, is another than before. */
static void meet(const struct sensor *sensor, struct attended_held *held) {
  struct attended *a = of(sensor);
  if (held->id_size == 0) {
    own_identity(a->context->board->serial, sensor->number, held->id);
    held->id_size = sizeof held->id;
  }
  const uint32_t print = fingerprint(held->words, a->plan.word_count);
  const bool known = a->id_size > 0;
  const bool same_chip = known && memcmp(a->sighted.id, held->id, sizeof held->id) == 0;
  if (a->plan.word_count > 0) {
    memcpy(a->plan.words, held->words, sizeof *held->words * a->plan.word_count);
  }
  if (same_chip && a->sighted.fingerprint == print) {
    return;
  }
  if (known && !same_chip) {
    counters_add(a->context->counters, COUNTER_SENSOR_CHANGED, 1);
  }
  a->id_size = held->id_size;
  a->sighting = sightings_meet(a->context->sightings, &a->sighted, held->id, print);
  if (a->sighting.changed) {
    counters_add(a->context->counters, COUNTER_CONSTANTS_CHANGED, 1);
  }
}

static enum status start(const struct sensor *sensor) {
  struct attended *a = of(sensor);
  struct attended_held held = {.words = a->context->scratch};
  enum status status = a->plan.chip->identify(sensor, &held);
  if (status == STATUS_OK) {
    meet(sensor, &held);
    status = a->plan.chip->set_up(sensor, &a->due_us);
  }
  if (status == STATUS_OK) {
    a->running = true;
    a->fault = STATUS_OK;
    a->retry_us = FIRST_RETRY_US;
    a->corrupt = 0;
    a->equal = 0;
  }
  return status;
}

static void miss(struct attended *a) {
  a->gap_from_us = a->gap_from_us == 0 ? a->newest_us : a->gap_from_us;
}

static void fail(struct attended *a, enum status status) {
  struct counters *counters = a->context->counters;
  miss(a);
  if (status == STATUS_BAD_EEPROM) {
    counters_add(counters, COUNTER_CONSTANTS_INVALID, 1);
  }
  if (a->running || a->fault == STATUS_OK) {
    counters_add(counters, COUNTER_SENSOR_LOST, 1);
    a->retry_us = FIRST_RETRY_US;
  }
  a->running = false;
  a->fault = status;
  a->due_us = board_now_us(a->context->board) + a->retry_us;
  a->retry_us = 2 * a->retry_us < LAST_RETRY_US ? 2 * a->retry_us : LAST_RETRY_US;
}

static void start_or_fail(const struct sensor *sensor) {
  const enum status status = start(sensor);
  if (status != STATUS_OK) {
    fail(of(sensor), status);
  }
}

/* Set the chip up anew; what it would have said meanwhile is lost. */
static void again(const struct sensor *sensor, enum counter cause) {
  counters_add(of(sensor)->context->counters, cause, 1);
  miss(of(sensor));
  start_or_fail(sensor);
}

/* A reading came that cannot be: ask again, and give it up after some tries. */
static void spoilt(struct attended *a) {
  counters_add(a->context->counters, COUNTER_READING_CORRUPT, 1);
  if (++a->corrupt < TRIES) {
    a->due_us = board_now_us(a->context->board);
  } else {
    fail(a, STATUS_DAMAGED);
  }
}

/* Blocks that should have come since the last one before a fault. */
static uint32_t lost_in_gap(struct attended *a, uint64_t time_us) {
  if (a->gap_from_us == 0) {
    return 0;
  }
  const float missed = rintf(float32_of_signed((int64_t)(time_us - a->gap_from_us)) / (float)a->plan.period_us) - 1.0F;
  a->gap_from_us = 0;
  return missed > 0.0F ? (uint32_t)fminf(missed, 1e9F) : 0;
}

static void take(const struct sensor *sensor, const struct attended_answer *answer, struct sensor_block *block) {
  struct attended *a = of(sensor);
  const uint32_t in_gap = lost_in_gap(a, answer->time_us);
  const uint32_t lost = in_gap > answer->lost ? in_gap : answer->lost;
  counters_add(a->context->counters, COUNTER_BLOCKS_LOST, lost);
  counters_add(a->context->counters, COUNTER_BLOCKS_CAPTURED, 1);
  a->next_index += lost;
  *block = (struct sensor_block){.time_us = answer->time_us, .index = a->next_index++};
  a->newest_us = answer->time_us;
  a->equal = a->equal > 0 && a->digest == answer->digest ? a->equal + 1 : 1;
  a->digest = answer->digest;
  if (answer->hangs || (a->plan.most_equal > 0 && a->equal >= a->plan.most_equal)) {
    again(sensor, COUNTER_SENSOR_FROZEN);
  }
}

static bool visit(const struct sensor *sensor, struct sensor_block *block) {
  struct attended *a = of(sensor);
  struct attended_answer answer = {0};
  const enum status status = a->plan.chip->visit(sensor, &answer);
  switch (status) {
    case STATUS_OK:
      a->corrupt = 0;
      a->due_us = answer.next_us;
      if (answer.complete) {
        take(sensor, &answer, block);
      }
      return answer.complete;
    case STATUS_RESET:
      again(sensor, COUNTER_SENSOR_RESET);
      return false;
    case STATUS_DAMAGED:
      spoilt(a);
      return false;
    default:
      fail(a, status);
      return false;
  }
}

/* From then on it goes first, whatever others have planned. */
static uint64_t late_us(const struct attended *a) {
  return a->due_us + a->plan.slack_us + 1;
}

uint64_t attended_due_us(const struct sensor *sensor, uint64_t free_until_us) {
  const struct attended *a = of(sensor);
  const uint64_t now_us = board_now_us(a->context->board);
  const uint64_t at_us = now_us > a->due_us ? now_us : a->due_us;
  return at_us + a->cost_us <= free_until_us || at_us > late_us(a) ? at_us : late_us(a);
}

bool attended_poll(const struct sensor *sensor, uint64_t free_until_us, struct sensor_block *block) {
  struct attended *a = of(sensor);
  const uint64_t began_us = board_now_us(a->context->board);
  bool complete = false;
  if (began_us < a->due_us || (began_us + a->cost_us > free_until_us && began_us < late_us(a))) {
    return false;
  }
  if (a->running) {
    complete = visit(sensor, block);
  } else {
    start_or_fail(sensor);
  }
  const uint64_t took_us = board_now_us(a->context->board) - began_us;
  const uint32_t slowly = a->cost_us * 7 / 8;
  const uint32_t took = took_us < LARGEST_COST_US ? (uint32_t)took_us : LARGEST_COST_US;
  a->cost_us = took > slowly ? took : slowly;
  return complete;
}

void attended_resume(const struct sensor *sensor) {
  struct attended *a = of(sensor);
  a->gap_from_us = a->newest_us = 0;
  if (a->running) {
    start_or_fail(sensor);
  }
}

void attended_status(const struct sensor *sensor, struct sensor_status *status) {
  const struct attended *a = of(sensor);
  if (a->id_size > 0) {
    memcpy(status->id, a->sighted.id, sizeof status->id);
    status->id_size = a->id_size;
    status->constants = a->sighting.constants;
    status->fingerprint = a->sighting.fingerprint;
    status->changed = a->sighting.changed;
  }
  status->rate_hz = a->plan.rate_hz;
  status->fault = a->fault == STATUS_OK ? NULL : bus_sentence(a->fault);
}

size_t attended_constants_size(const struct sensor *sensor) {
  const struct attended *a = of(sensor);
  return a->id_size > 0 ? 2U * a->plan.word_count : 0;
}

void attended_constants(const struct sensor *sensor, size_t offset, uint8_t *to, size_t size) {
  const uint16_t *words = of(sensor)->plan.words;
  for (size_t i = 0; i < size; i++) {
    const size_t at = offset + i;
    to[i] = (uint8_t)(words[at / 2] >> (at % 2 * 8));
  }
}

void attended_trust(const struct sensor *sensor) {
  struct attended *a = of(sensor);
  sightings_trust(a->context->sightings, &a->sighted);
  a->sighting.changed = false;
}

/* Whether a block is there that is not older than three periods; where it is not, wait for one. */
static bool speaks(const struct sensor *sensor) {
  struct attended *a = of(sensor);
  const struct board *board = a->context->board;
  const uint64_t now_us = board_now_us(board);
  if (a->newest_us != 0 && now_us - a->newest_us <= 3U * (uint64_t)a->plan.period_us) {
    return true;
  }
  attended_resume(sensor);
  const uint64_t end_us = now_us + 3U * (uint64_t)a->plan.period_us + SECOND_US;
  struct sensor_block block;
  while (board_now_us(board) < end_us) {
    const uint64_t due_us = attended_due_us(sensor, UINT64_MAX);
    board_watchdog_feed(board);
    board_wait_until_us(board, due_us < end_us ? due_us : end_us);
    if (attended_poll(sensor, UINT64_MAX, &block)) {
      return true;
    }
  }
  return false;
}

void attended_self_test(const struct sensor *sensor, struct sensor_results *results) {
  const struct attended *a = of(sensor);
  /* What speaks more seldom is not waited for. */
  const bool often = a->plan.period_us <= SECOND_US;
  const bool said = often ? speaks(sensor) : a->newest_us != 0;
  results->add(results, "answers", a->running,
               a->running              ? "It is set up and answers."
               : a->fault != STATUS_OK ? bus_sentence(a->fault)
                                       : "It was not asked yet; repeat the test.");
  results->add(results, "speaks", said || !often, said ? "It says something." : "Nothing came.");
}

enum status attended_write_all(const struct attended *a, const uint8_t *messages) {
  enum status status = STATUS_OK;
  for (const uint8_t *at = messages; status == STATUS_OK && *at != 0; at += 1U + *at) {
    status = bus_transfer(&a->bus, at + 1, *at, NULL, 0);
  }
  return status;
}

uint64_t attended_next_us(uint64_t due_us, uint32_t period_us, uint64_t now_us) {
  return due_us + period_us > now_us ? due_us + period_us : now_us + period_us;
}
