/* libFuzzer: SMP messages one after another, each with its length (u16, little-endian) before it, to a whole wearable
   with a thermometer that answers, numbers from outside, a wearer and stores in a model of flash. Every answer must be
   a message of its own. */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "external.h"
#include "tmp117.h"
#include "wearable.h"

#define PAGE 4096
#define PAGES 12
#define MESSAGES 8
#define SENSORS 2
#define STEP_US 50000U

static struct {
  uint8_t flash[PAGE * PAGES];
  uint64_t time_us;
  bool absent; /* the thermometer; a reset takes it away and brings it back */
  struct wearable wearable;
  struct wearable_sensor sensors[SENSORS];
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
  return self.time_us;
}

static void wait_until_us(uint64_t time_us) {
  self.time_us = time_us > self.time_us && time_us - self.time_us < STEP_US ? time_us : self.time_us + STEP_US;
}

/* A TMP117 with a result at every look. */
static enum status i2c_transfer(uint8_t address, const uint8_t *write, size_t write_size, uint8_t *read,
                                size_t read_size) {
  require(address == 0x48 && write_size >= 1);
  if (self.absent) {
    return STATUS_NACK;
  }
  if (read_size == 2) {
    store_be16(read, write[0] == 0x0F ? 0x0117 : write[0] == 1 ? 0x2220 : (uint16_t)(0x1100 + write[0]));
  }
  return STATUS_OK;
}

static void nothing(void) {
}

static size_t hear_nothing(uint8_t *data, size_t size) {
  (void)data;
  (void)size;
  return 0;
}

static bool take_all(const uint8_t *data, size_t size) {
  require(data != NULL && size <= 4096);
  return true;
}

static size_t room(void) {
  return 4096;
}

static uint32_t no_overruns(void) {
  return 0;
}

static enum status flash_erase(size_t page) {
  require(page < PAGES);
  memset(self.flash + page * PAGE, 0xFF, PAGE);
  return STATUS_OK;
}

static enum status flash_program(size_t offset, const uint8_t *data, size_t size) {
  require(offset % 8 == 0 && size % 8 == 0 && offset < sizeof self.flash && size <= sizeof self.flash - offset);
  for (size_t i = 0; i < size; i++) {
    self.flash[offset + i] &= data[i];
  }
  return STATUS_OK;
}

static void reset(void) {
}

static const struct board board = {.name = "fuzzed",
                                   .platform = "libFuzzer",
                                   .processor = "any",
                                   .serial = "1",
                                   .now_us = now_us,
                                   .wait_until_us = wait_until_us,
                                   .i2c_transfer = i2c_transfer,
                                   .i2c_recover = nothing,
                                   .serial_read = hear_nothing,
                                   .serial_write = take_all,
                                   .serial_room = room,
                                   .serial_overruns = no_overruns,
                                   .serial_discard = nothing,
                                   .flash = self.flash,
                                   .flash_page_size = PAGE,
                                   .flash_pages = PAGES,
                                   .flash_erase = flash_erase,
                                   .flash_program = flash_program,
                                   .watchdog_feed = nothing,
                                   .reset = reset};

/* Signals: the thermometer's, three numbers from outside, the wearer's age; an alert on the first. */
static _Alignas(8) uint8_t memory[32];
static struct sample samples[3];
static const struct signal signals[3] = {{.at = 0, .elements = 1, .gap_us = 1000000},
                                         {.at = 8, .elements = 3, .gap_us = 1000000},
                                         {.at = 24, .elements = 1, .gap_us = 0}};
static const struct graph_plan graph = {.signals = signals, .signal_count = 3, .samples = samples, .memory = memory};
static struct tmp117_state touch_state;
static const struct tmp117_settings touch = {
    .address = 0x48, .configuration = 0x0220, .rate_hz = 1.0F, .stale_readings = 300};
static float given_values[3];
static struct external_state given_state = {.values = given_values};
static const struct external_settings given = {.elements = 3, .low = 0.0F, .high = 9.0F, .rate_hz = 1.0F};
static const struct sensor sensors[SENSORS] = {
    {.driver = &tmp117_driver, .name = "touch", .settings = &touch, .state = &touch_state, .signal = 0, .number = 0},
    {.driver = &external_driver, .name = "given", .settings = &given, .state = &given_state, .signal = 1, .number = 1},
};
static struct alert alert_states[1];
static const struct alert_plan alerts[1] = {
    {.when = {ALERT_AT_LEAST, 30.0F}, .model = ALERT_OF_SIGNAL, .signal = 0, .findings = 1}};
static const uint8_t person[] = {0};
static const char *const waived[] = {"Nothing was measured."};
static const struct bundle_profile bundle = {.major = 1, .waived_count = 1, .waived = waived};
static const uint8_t profile_cbor[3000];
static const struct profile profile = {.name = "fuzzed",
                                       .cbor = profile_cbor,
                                       .cbor_size = sizeof profile_cbor,
                                       .sensors = sensors,
                                       .sensor_count = SENSORS,
                                       .graph = &graph,
                                       .alerts = alerts,
                                       .alert_states = alert_states,
                                       .alert_count = 1,
                                       .person = person,
                                       .person_count = 1,
                                       .person_signal = 2,
                                       .bundle = &bundle};

static void check_answer(const uint8_t *header, size_t size) {
  require(size >= SMP_HEADER_BYTES && size <= sizeof self.answer);
  require((self.answer[0] & 7) == (header[0] & 7) + 1);
  require(load_be16(self.answer + 2) == size - SMP_HEADER_BYTES);
  require(memcmp(self.answer + 4, header + 4, 4) == 0);
  size_t body = size - SMP_HEADER_BYTES;
  require(cbor_check(self.answer + SMP_HEADER_BYTES, &body) == CBOR_GOOD && body == size - SMP_HEADER_BYTES);
}

/* Let the wearable do what a message asked for; a reset takes the thermometer away or brings it back. */
static void run(void) {
  if (self.wearable.reset_wanted) {
    self.wearable.reset_wanted = false;
    self.absent = !self.absent;
  }
  for (int i = 0; i < 3; i++) {
    wearable_step(&self.wearable);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  memset(self.flash, 0xFF, sizeof self.flash);
  self.absent = false;
  wearable_init(&self.wearable, &board, &profile, self.sensors);
  run();
  for (int i = 0; i < MESSAGES && size > 2; i++) {
    size_t message = load_le16(data);
    data += 2;
    size -= 2;
    message = message < size ? message : size;
    message = message < sizeof self.message ? message : sizeof self.message;
    memcpy(self.message, data, message);
    const size_t answer =
        smp_answer_message(&self.wearable.server, self.message, message, self.answer, sizeof self.answer);
    if (answer > 0) {
      check_answer(data, answer);
    }
    run();
    data += message;
    size -= message;
  }
  return 0;
}
