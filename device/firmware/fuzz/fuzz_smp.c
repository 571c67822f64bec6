/* libFuzzer: SMP messages one after another, each with its length (u16, little-endian) before it, to a whole server
   with a calibration store in a model of flash. Every answer must be a message of its own. */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "correction.h"
#include "crc.h"
#include "image_group.h"
#include "wearable_group.h"

#define PAGE 4096
#define PAGES 9
#define MESSAGES 8

static const uint8_t sensor_id[STORE_SENSOR_ID_BYTES] = {1, 2, 3, 4, 5, 6};

static struct {
  uint8_t flash[PAGE * PAGES];
  uint8_t fresh[PAGE * PAGES]; /* as every run finds it */
  bool dirty;
  bool leased;
  bool absent; /* the picture sensor; a reset takes it away and brings it back */
  struct store store;
  struct counters counters;
  struct smp_server server;
  struct smp_group groups[3];
  struct wearable_group wearable;
  struct smp_os os;
  uint8_t message[FRAMING_MAX_MESSAGE];
  uint8_t answer[SMP_BUFFER_BYTES];
} self;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
  if (!condition) {
    abort();
  }
}

static uint64_t now_us(void) {
  return 1000000;
}

static enum status flash_erase(size_t page) {
  require(page < PAGES);
  memset(self.flash + page * PAGE, 0xFF, PAGE);
  self.dirty = true;
  return STATUS_OK;
}

static enum status flash_program(size_t offset, const uint8_t *data, size_t size) {
  require(offset % 8 == 0 && size % 8 == 0 && offset < sizeof self.flash && size <= sizeof self.flash - offset);
  for (size_t i = 0; i < size; i++) {
    self.flash[offset + i] &= data[i];
  }
  self.dirty = true;
  return STATUS_OK;
}

static void reset(void *context) {
  (void)context;
  self.absent = !self.absent;
}

static void get_state(void *context, struct wearable_state *state) {
  (void)context;
  state->time_us = now_us();
  state->sensor_known = !self.absent;
  state->sensor_fault = self.leased ? "It does not answer." : NULL;
  memcpy(state->sensor_id, sensor_id, sizeof sensor_id);
  state->camera_rate_hz = 16.0f;
}

static void stream_start(void *context, uint32_t lease_ms, uint16_t key_interval) {
  (void)context;
  (void)key_interval;
  require(lease_ms >= WEARABLE_SHORTEST_LEASE_MS && lease_ms <= 10000);
  self.leased = true;
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
  static const uint16_t words[WEARABLE_EEPROM_WORDS] = {0};
  return self.absent ? NULL : words;
}

static bool set_rate(void *context, float rate_hz, float *set_hz, enum wearable_code *code, struct text *reason) {
  (void)context;
  (void)code;
  if (!(rate_hz >= 0.5f && rate_hz <= 64.0f)) {
    text_add(reason, "No such rate as ");
    text_add_float(reason, rate_hz, 2);
    return false;
  }
  *set_hz = rate_hz;
  return true;
}

static void self_test(void *context, struct wearable_results *results) {
  (void)context;
  for (int i = 0; i < 30; i++) {
    wearable_group_result(results, "part", true, "It is in order.");
  }
}

static void calibration_changed(void *context) {
  (void)context;
  size_t size;
  struct correction correction;
  const uint8_t *calibration = store_calibration(&self.store, STORE_CURRENT, &size);
  require(calibration != NULL && correction_open(calibration, size, &correction) == STATUS_OK);
}

static const char *const labels[] = {"one", "two"};
static const struct model_profile model = {.major = 1, .minor = 2, .revision = 3, .build = 4};
static const uint8_t profile_cbor[3000];
static const struct profile profile = {.name = "fuzzed",
                                       .version = "1",
                                       .notice = "Informs only. Not a medical device.",
                                       .cbor = profile_cbor,
                                       .cbor_size = sizeof profile_cbor,
                                       .camera_address = 0x33,
                                       .adc_address = 0x48,
                                       .channel_count = 1,
                                       .channels = {{.name = "skin"}},
                                       .label_count = 2,
                                       .labels = labels,
                                       .model = &model};
static const struct board board = {.name = "fuzzed",
                                   .platform = "libFuzzer",
                                   .processor = "any",
                                   .serial = "1",
                                   .now_us = now_us,
                                   .flash = self.flash,
                                   .flash_page_size = PAGE,
                                   .flash_pages = PAGES,
                                   .flash_erase = flash_erase,
                                   .flash_program = flash_program};
static const struct wearable_services services = {.software = "1",
                                                  .lease_max_ms = 10000,
                                                  .state = get_state,
                                                  .stream_start = stream_start,
                                                  .stream_renew = stream_renew,
                                                  .stream_stop = stream_stop,
                                                  .eeprom = eeprom,
                                                  .set_rate = set_rate,
                                                  .self_test = self_test,
                                                  .calibration_changed = calibration_changed};

/* Store a calibration that changes nothing but says `created`. */
static void store_identity_calibration(uint8_t created) {
  static uint8_t blob[CORRECTION_MIN_BYTES];
  struct store_identity identity;
  memset(blob, 0, sizeof blob);
  memcpy(blob, "TCOR\2\6", 6);
  memcpy(blob + 8, sensor_id, sizeof sensor_id);
  blob[16] = created;
  for (size_t i = 0; i < PIXELS; i++) {
    store_le32(blob + 32 + 4 * PIXELS + 4 * i, 0x3F800000);
  }
  store_le32(blob + sizeof blob - 4, crc32_update(0, blob, sizeof blob - 4));
  require(store_write(&self.store, 0, sizeof blob, blob, sizeof blob) == STATUS_OK);
  require(store_commit(&self.store, sensor_id, &identity) == STATUS_OK);
}

static void set_up(void) {
  if (self.os.name == NULL) {
    memset(self.flash, 0xFF, sizeof self.flash);
    store_open(&self.store, &board);
    store_identity_calibration(1);
    store_identity_calibration(2);
    memcpy(self.fresh, self.flash, sizeof self.flash);
    self.os = (struct smp_os){"fuzzed", "1", "fuzzed", "fuzzed", "fuzzed", "fuzzed", reset, NULL};
    self.wearable = (struct wearable_group){&board, &profile, &services, &self.counters, &self.server, &self.store};
    self.counters.counts[COUNTER_BUS_NACK] = 5;
    self.counters.counts[COUNTER_RESETS] = UINT32_MAX;
    self.groups[0] = smp_os_group(&self.os);
    self.groups[1] = image_group_commands(&profile);
    self.groups[2] = wearable_group_commands(&self.wearable);
  }
  if (self.dirty) {
    memcpy(self.flash, self.fresh, sizeof self.flash);
    store_open(&self.store, &board);
    self.dirty = false;
  }
  self.leased = self.absent = false;
  smp_begin(&self.server, self.groups, 3, now_us, NULL, NULL);
}

static void check_answer(const uint8_t *header, size_t size) {
  require(size >= SMP_HEADER_BYTES && size <= sizeof self.answer);
  require((self.answer[0] & 7) == (header[0] & 7) + 1);
  require(load_be16(self.answer + 2) == size - SMP_HEADER_BYTES);
  require(memcmp(self.answer + 4, header + 4, 4) == 0);
  size_t body = size - SMP_HEADER_BYTES;
  require(cbor_check(self.answer + SMP_HEADER_BYTES, &body) == CBOR_GOOD && body == size - SMP_HEADER_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  set_up();
  for (int i = 0; i < MESSAGES && size > 2; i++) {
    size_t message = load_le16(data);
    data += 2;
    size -= 2;
    message = message < size ? message : size;
    message = message < sizeof self.message ? message : sizeof self.message;
    memcpy(self.message, data, message);
    size_t answer = smp_answer_message(&self.server, self.message, message, self.answer, sizeof self.answer);
    if (answer > 0) {
      check_answer(data, answer);
    }
    data += message;
    size -= message;
  }
  return 0;
}
