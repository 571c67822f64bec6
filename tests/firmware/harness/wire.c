/* The wire side of the core for ctypes: framing, counters, records, and a store over a flash that can lose power. */
#include <string.h>

#include "correction.h"
#include "counters.h"
#include "flash.h"
#include "framing.h"
#include "records.h"
#include "store.h"

static struct {
  struct framing_receiver receiver;
  struct store store;
  const struct board *board;
} self;

/* Framing. */

void wire_restart_receiver(void);
size_t wire_receive(const uint8_t *data, size_t size, uint8_t *message, size_t *message_size);
void wire_receiver_counters(uint32_t counters[3]);

void wire_restart_receiver(void) {
  memset(&self.receiver, 0, sizeof self.receiver);
}

size_t wire_receive(const uint8_t *data, size_t size, uint8_t *message, size_t *message_size) {
  size_t taken = framing_receive(&self.receiver, data, size, message_size);
  memcpy(message, framing_message(&self.receiver), *message_size);
  return taken;
}

void wire_receiver_counters(uint32_t counters[3]) {
  counters[0] = self.receiver.packets;
  counters[1] = self.receiver.bad_packets;
  counters[2] = self.receiver.discarded;
}

/* Counters. */

size_t wire_counter_count(size_t *faults);
const char *wire_counter(size_t counter, int *code, int *severity, const char **sentence);

size_t wire_counter_count(size_t *faults) {
  *faults = COUNTER_FAULTS;
  return COUNTER_COUNT;
}

const char *wire_counter(size_t counter, int *code, int *severity, const char **sentence) {
  const struct fault *fault = counters_fault((enum counter)counter);
  *code = fault != NULL ? fault->code : 0;
  *severity = fault != NULL ? fault->severity : 0;
  *sentence = fault != NULL ? fault->sentence : "";
  return counters_name((enum counter)counter);
}

/* Records. */

size_t wire_block(uint8_t *record, size_t capacity, uint16_t sequence, uint64_t time_us, uint8_t sensor,
                  uint32_t constants, uint32_t index, const uint8_t *data, size_t size);
size_t wire_signal(uint8_t *record, size_t capacity, uint16_t sequence, uint64_t time_us, uint8_t signal,
                   uint16_t flags, uint16_t first, uint16_t elements, const float *values, uint16_t count);
size_t wire_finding(uint8_t *record, size_t capacity, uint16_t sequence, uint64_t time_us, uint8_t model,
                    uint16_t flags, const uint32_t numbers[3], const uint32_t *newest, uint8_t newest_count,
                    bool quantities, float *values, uint8_t count);
size_t wire_alert(uint8_t *record, size_t capacity, uint16_t sequence, uint64_t time_us, uint8_t number, uint8_t state,
                  uint16_t flags, int64_t since_us, float value);
size_t wire_event(uint8_t *record, size_t capacity, uint16_t sequence, uint64_t time_us, uint16_t code, int severity,
                  uint8_t sensor, uint32_t count, const char *sentence);
size_t wire_clock(uint8_t *record, size_t capacity, uint16_t sequence, uint64_t time_us, uint64_t unix_us,
                  const uint32_t numbers[4]);

size_t wire_block(uint8_t *record, size_t capacity, uint16_t sequence, uint64_t time_us, uint8_t sensor,
                  uint32_t constants, uint32_t index, const uint8_t *data, size_t size) {
  const struct records_block block = {.sensor = sensor, .constants = constants, .index = index, .size = size};
  memcpy(record + RECORDS_BLOCK_AT, data, size);
  return records_block(record, capacity, (struct records_head){sequence, time_us}, &block);
}

size_t wire_signal(uint8_t *record, size_t capacity, uint16_t sequence, uint64_t time_us, uint8_t signal,
                   uint16_t flags, uint16_t first, uint16_t elements, const float *values, uint16_t count) {
  const struct records_signal part = {
      .signal = signal, .flags = flags, .elements = elements, .first = first, .count = count, .values = values};
  return records_signal(record, capacity, (struct records_head){sequence, time_us}, &part);
}

/* `numbers`: bundle, latency, inference; `newest`: sensor and index of each. */
size_t wire_finding(uint8_t *record, size_t capacity, uint16_t sequence, uint64_t time_us, uint8_t model,
                    uint16_t flags, const uint32_t numbers[3], const uint32_t *newest, uint8_t newest_count,
                    bool quantities, float *values, uint8_t count) {
  struct records_newest blocks[LIMIT_SENSORS];
  for (uint8_t i = 0; i < newest_count; i++) {
    blocks[i] = (struct records_newest){.sensor = (uint8_t)newest[2 * i], .index = newest[2 * i + 1]};
  }
  const struct finding finding = {.model = model, .flags = flags, .count = count, .values = values};
  const struct records_finding found = {.finding = &finding,
                                        .quantities = quantities,
                                        .bundle = numbers[0],
                                        .latency_us = numbers[1],
                                        .inference_us = numbers[2],
                                        .newest = blocks,
                                        .newest_count = newest_count};
  return records_finding(record, capacity, (struct records_head){sequence, time_us}, &found);
}

size_t wire_alert(uint8_t *record, size_t capacity, uint16_t sequence, uint64_t time_us, uint8_t number, uint8_t state,
                  uint16_t flags, int64_t since_us, float value) {
  const struct alert alert = {.state = (enum alert_state)state, .flags = flags, .time_us = since_us, .value = value};
  return records_alert(record, capacity, (struct records_head){sequence, time_us}, number, &alert);
}

size_t wire_event(uint8_t *record, size_t capacity, uint16_t sequence, uint64_t time_us, uint16_t code, int severity,
                  uint8_t sensor, uint32_t count, const char *sentence) {
  const struct records_event event = {
      .code = code, .severity = (enum severity)severity, .sensor = sensor, .count = count, .sentence = sentence};
  return records_event(record, capacity, (struct records_head){sequence, time_us}, &event);
}

size_t wire_clock(uint8_t *record, size_t capacity, uint16_t sequence, uint64_t time_us, uint64_t unix_us,
                  const uint32_t numbers[4]) {
  const struct records_clock clock = {.unix_us = unix_us,
                                      .lease_left_ms = numbers[0],
                                      .dropped = numbers[1],
                                      .captured = numbers[2],
                                      .lost = numbers[3]};
  return records_clock(record, capacity, (struct records_head){sequence, time_us}, &clock);
}

/* Store. */

bool wire_new_flash(size_t page_size, size_t pages);
void wire_open_store(void);
int wire_store_write(size_t offset, size_t length, const uint8_t *data, size_t size);
int wire_store_commit(void);
int wire_store_rollback(void);
size_t wire_store_read(int slot, uint8_t *data);
bool wire_store_damaged(void);

/* Anything that is whole, of 132 bytes to a camera's correction. */
static bool is_whole(const void *context, const uint8_t *data, size_t size) {
  (void)context;
  struct correction correction;
  return correction_open(data, size, &correction) == STATUS_OK;
}

static const struct store_kind kind = {.least = 132, .most = 9348, .holds = is_whole};

bool wire_new_flash(size_t page_size, size_t pages) {
  self.board = flash_board(page_size, pages);
  wire_open_store();
  return self.store.area_pages > 0;
}

void wire_open_store(void) {
  store_open(&self.store, self.board, &kind, 0, self.board->flash_pages);
}

int wire_store_write(size_t offset, size_t length, const uint8_t *data, size_t size) {
  return (int)store_write(&self.store, offset, length, data, size);
}

int wire_store_commit(void) {
  return (int)store_commit(&self.store);
}

int wire_store_rollback(void) {
  return (int)store_rollback(&self.store);
}

size_t wire_store_read(int slot, uint8_t *data) {
  size_t size;
  const uint8_t *kept = store_get(&self.store, (enum store_slot)slot, &size);
  if (kept != NULL) {
    memcpy(data, kept, size);
  }
  return size;
}

bool wire_store_damaged(void) {
  return self.store.damaged;
}
