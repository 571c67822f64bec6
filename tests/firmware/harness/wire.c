/* The wire side of the core for ctypes: one receiver, one SMP server of all groups over a bench's services, one store.
 */
#include <string.h>

#include "flash.h"
#include "framing.h"
#include "image_group.h"
#include "wearable_group.h"

#define LABELS 2
#define PROFILE_BYTES 2500

static struct {
  struct framing_receiver receiver;
  struct smp_server server;
  struct smp_group groups[3];
  struct wearable_group wearable;
  struct smp_os os;
  struct counters counters;
  struct store store;
  struct wearable_state state;
  const struct board *board;
  uint32_t resets, refusals, changes, started_ms;
  uint16_t key_interval;
  bool leased, absent;
  uint16_t eeprom[WEARABLE_EEPROM_WORDS];
  uint8_t profile_cbor[PROFILE_BYTES];
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

/* The bench's services. */

static uint64_t now_us(void) {
  return 1234;
}

static void reset(void *context) {
  (void)context;
  self.resets++;
}

static void on_refusal(void *context, const char *reason) {
  (void)context;
  (void)reason;
  self.refusals++;
}

static void get_state(void *context, struct wearable_state *state) {
  (void)context;
  *state = self.state;
}

static void stream_start(void *context, uint32_t lease_ms, uint16_t key_interval) {
  (void)context;
  self.leased = true;
  self.started_ms = lease_ms;
  self.key_interval = key_interval;
}

static bool stream_renew(void *context, uint32_t lease_ms) {
  (void)context;
  (void)lease_ms;
  return self.leased;
}

static void stream_stop(void *context) {
  (void)context;
  self.leased = false;
}

static const uint16_t *eeprom(void *context) {
  (void)context;
  return self.absent ? NULL : self.eeprom;
}

static bool set_rate(void *context, float rate_hz, float *set_hz, enum wearable_code *code, struct text *reason) {
  (void)context;
  (void)code;
  if (!(rate_hz >= 0.5f && rate_hz <= 64.0f)) {
    text_add(reason, "The sensor has no refresh rate of ");
    text_add_float(reason, rate_hz, 1);
    text_add(reason, " Hz.");
    return false;
  }
  *set_hz = 16.0f;
  return true;
}

static void self_test(void *context, struct wearable_results *results) {
  (void)context;
  wearable_group_result(results, "EEPROM", true, "Two reads agree.");
  wearable_group_result(results, "supply", false, "2.90 V; 3 to 3.6 is in order.");
}

static void calibration_changed(void *context) {
  (void)context;
  self.changes++;
}

static const char *const labels[LABELS] = {"uniform", "warm-spot"};
static struct model_profile model = {.major = 1, .minor = 2, .revision = 3, .build = 4};
static struct profile profile = {.name = "breast-patch",
                                 .version = "1",
                                 .notice = "Informs only. Not a medical device.",
                                 .cbor = self.profile_cbor,
                                 .cbor_size = PROFILE_BYTES,
                                 .camera_address = 0x33,
                                 .camera_resolution_code = 2,
                                 .camera_chess = true,
                                 .camera_emissivity = 0.98f,
                                 .camera_reflected_celsius = 23.5f,
                                 .adc_address = 0x48,
                                 .adc_rate_hz = 1.0f,
                                 .channel_count = 2,
                                 .channels = {{.name = "skin"}, {.name = "room"}},
                                 .label_count = LABELS,
                                 .labels = labels,
                                 .model = &model};
static char long_name[65], long_channels[4][33], long_rest[1025];
static const char *many_labels[PROFILE_MAX_LABELS];
static const char *const waived[] = {long_rest};
static const struct wearable_services services = {.software = "0.1.0",
                                                  .lease_max_ms = 10000,
                                                  .development_key = true,
                                                  .state = get_state,
                                                  .stream_start = stream_start,
                                                  .stream_renew = stream_renew,
                                                  .stream_stop = stream_stop,
                                                  .eeprom = eeprom,
                                                  .set_rate = set_rate,
                                                  .self_test = self_test,
                                                  .calibration_changed = calibration_changed};

/* The profile's texts as long as `thermo-quantize firmware` takes them: `bytes` of them together, beside the notice. */
void wire_long_texts(size_t bytes);

void wire_long_texts(size_t bytes) {
  memset(long_name, 'n', sizeof long_name - 1);
  profile.name = long_name;
  profile.channel_count = PROFILE_MAX_CHANNELS;
  for (size_t i = 0; i < PROFILE_MAX_CHANNELS; i++) {
    memset(long_channels[i], 'c', sizeof long_channels[i] - 1);
    profile.channels[i].name = long_channels[i];
  }
  for (size_t i = 0; i < PROFILE_MAX_LABELS; i++) {
    many_labels[i] = "l";
  }
  profile.label_count = PROFILE_MAX_LABELS;
  profile.labels = many_labels;
  const size_t used = strlen(profile.notice) + sizeof long_name - 1 + sizeof long_channels - 4 + PROFILE_MAX_LABELS;
  memset(long_rest, 'w', bytes - used);
  long_rest[bytes - used] = 0;
  profile.waived_count = 1;
  profile.waived = waived;
}

/* Server. */

void wire_restart_server(const char *processor, const char *system, const uint8_t *sensor_id, bool has_model);
size_t wire_answer(uint8_t *message, size_t size, uint8_t *answer, size_t capacity);
uint32_t wire_seen(int what);
void wire_count(int counter, uint32_t count);

void wire_restart_server(const char *processor, const char *system, const uint8_t *sensor_id, bool has_model) {
  memset(&self, 0, sizeof self);
  self.board = flash_board(4096, 9);
  store_open(&self.store, self.board);
  self.state = (struct wearable_state){.time_us = 1234,
                                       .calibrated = true,
                                       .generation = 7,
                                       .fingerprint = 0xCAFE,
                                       .camera_rate_hz = 16.0f,
                                       .sensor_warning = "It rots."};
  self.absent = sensor_id == NULL;
  if (sensor_id != NULL) {
    self.state.sensor_known = true;
    memcpy(self.state.sensor_id, sensor_id, sizeof self.state.sensor_id);
  }
  for (size_t i = 0; i < sizeof model.image_sha256; i++) {
    model.image_sha256[i] = (uint8_t)i;
  }
  for (size_t i = 0; i < WEARABLE_EEPROM_WORDS; i++) {
    self.eeprom[i] = (uint16_t)(i * 257);
  }
  for (size_t i = 0; i < PROFILE_BYTES; i++) {
    self.profile_cbor[i] = (uint8_t)(i % 251);
  }
  profile.model = has_model ? &model : NULL;
  profile.name = "breast-patch";
  profile.channel_count = 2;
  profile.channels[0].name = "skin";
  profile.channels[1].name = "room";
  profile.label_count = LABELS;
  profile.labels = labels;
  profile.waived_count = 0;
  self.os = (struct smp_os){"patch-7", "0.1.0", "test bench", processor, "breast-patch", system, reset, NULL};
  self.wearable = (struct wearable_group){self.board, &profile, &services, &self.counters, &self.server, &self.store};
  self.groups[0] = smp_os_group(&self.os);
  self.groups[1] = image_group_commands(&profile);
  self.groups[2] = wearable_group_commands(&self.wearable);
  smp_begin(&self.server, self.groups, 3, now_us, on_refusal, NULL);
}

size_t wire_answer(uint8_t *message, size_t size, uint8_t *answer, size_t capacity) {
  return smp_answer_message(&self.server, message, size, answer, capacity);
}

uint32_t wire_seen(int what) {
  const uint32_t seen[] = {self.resets, self.refusals, self.changes, self.started_ms, self.key_interval, self.leased};
  return seen[what];
}

void wire_count(int counter, uint32_t count) {
  counters_add(&self.counters, (enum counter)counter, count);
}

/* Store. */

bool wire_new_flash(size_t page_size, size_t pages);
void wire_open_store(void);
int wire_store_write(size_t offset, size_t length, const uint8_t *data, size_t size);
int wire_store_commit(const uint8_t *sensor_id);
int wire_store_rollback(void);
size_t wire_store_read(int slot, uint8_t *data);
bool wire_store_damaged(void);

bool wire_new_flash(size_t page_size, size_t pages) {
  self.board = flash_board(page_size, pages);
  store_open(&self.store, self.board);
  return self.store.area_pages > 0;
}

void wire_open_store(void) {
  store_open(&self.store, self.board);
}

int wire_store_write(size_t offset, size_t length, const uint8_t *data, size_t size) {
  return (int)store_write(&self.store, offset, length, data, size);
}

int wire_store_commit(const uint8_t *sensor_id) {
  struct store_identity identity;
  return (int)store_commit(&self.store, sensor_id, &identity);
}

int wire_store_rollback(void) {
  return (int)store_rollback(&self.store);
}

size_t wire_store_read(int slot, uint8_t *data) {
  size_t size;
  const uint8_t *calibration = store_calibration(&self.store, (enum store_slot)slot, &size);
  if (calibration != NULL) {
    memcpy(data, calibration, size);
  }
  return size;
}

bool wire_store_damaged(void) {
  return self.store.damaged;
}
