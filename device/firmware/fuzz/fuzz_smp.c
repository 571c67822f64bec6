/* libFuzzer: SMP messages one after another, each with its length (u16, little-endian) before it, to a whole wearable
   with stores in a model of flash. Every answer must be a message of its own, and what is in use must be in order. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "bytes.h"
#include "crc.h"
#include "external.h"
#include "mlx90640_correction.h"
#include "nor_flash.h"

#define BLOCK 4096
#define BLOCKS 16
#define MESSAGES 8
#define SENSORS 2
#define CONSTANTS_BYTES 1664
#define BLOB_BYTES (CORRECTION_FRAME_BYTES + MLX90640_CORRECTION_BYTES)

static const uint8_t sensor_id[6] = {1, 2, 3, 4, 5, 6};

static struct {
  uint8_t flash[BLOCK * BLOCKS];
  uint8_t fresh[BLOCK * BLOCKS]; /* as every run finds it */
  bool begun;
  bool dirty;
  bool absent; /* the camera; a reset takes it away and brings it back */
  bool corrected;
  struct wearable wearable;
  struct wearable_sensor sensors[SENSORS];
  struct alert alerts[1];
  uint8_t message[FRAMING_MAX_MESSAGE];
  uint8_t answer[SMP_BUFFER_BYTES];
} self;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
  if (!condition) {
    abort();
  }
}

static uint64_t now_us(void *context) {
  (void)context;
  return 1000000;
}

/* Every change of the flash has to be undone for the next run. */
static enum nor_flash_outcome note_change(void *context, uint8_t *at, const uint8_t *wanted, size_t size) {
  (void)context;
  (void)wanted;
  require(at >= self.flash && size <= sizeof self.flash - (size_t)(at - self.flash));
  self.dirty = true;
  return NOR_FLASH_WORKS;
}

static bool serial_write(void *context, const uint8_t *data, size_t size) {
  (void)context;
  (void)data;
  require(size > 0);
  return true;
}

static size_t serial_room(void *context) {
  (void)context;
  return 4096;
}

static void serial_discard(void *context) {
  (void)context;
}

/* A camera that says what a correction could be of. */

static void init(const struct sensor *sensor, const struct sensor_context *context) {
  (void)sensor;
  (void)context;
}

static void status_of(const struct sensor *sensor, struct sensor_status *status) {
  (void)sensor;
  if (!self.absent) {
    memcpy(status->id, sensor_id, sizeof sensor_id);
    status->id_size = sizeof sensor_id;
    status->constants = 1;
    status->fingerprint = 2;
  }
  status->changed = self.absent;
  status->strange = 0x2410;
  status->fault = self.absent ? "It does not answer." : NULL;
  status->rate_hz = 16.0f;
}

static size_t constants_size(const struct sensor *sensor) {
  (void)sensor;
  return self.absent ? 0 : CONSTANTS_BYTES;
}

static void constants(const struct sensor *sensor, size_t offset, uint8_t *to, size_t size) {
  (void)sensor;
  require(offset <= CONSTANTS_BYTES && size <= CONSTANTS_BYTES - offset);
  memset(to, 0x5A, size);
}

static void restart(const struct sensor *sensor, uint16_t key_interval) {
  (void)sensor;
  require(key_interval <= 32767);
}

static void trust(const struct sensor *sensor) {
  (void)sensor;
  require(!self.absent);
}

static bool possible(const struct sensor *sensor, const struct correction *blob) {
  (void)sensor;
  struct mlx90640_correction correction;
  return mlx90640_correction_open(blob, &correction) == STATUS_OK;
}

static bool objects(const struct sensor *sensor, const struct correction *blob, struct text *reason) {
  (void)sensor;
  struct mlx90640_correction correction;
  require(mlx90640_correction_open(blob, &correction) == STATUS_OK);
  return mlx90640_correction_is_implausible(&correction, reason);
}

static void correct(const struct sensor *sensor, const struct correction *correction) {
  self.corrected = correction != NULL;
  require(correction == NULL || (possible(sensor, correction) && memcmp(correction->id, sensor_id, 6) == 0));
}

static bool corrected(const struct sensor *sensor) {
  (void)sensor;
  return self.corrected;
}

static bool set_rate(const struct sensor *sensor, float rate_hz, enum group_error *error, struct text *reason) {
  (void)sensor;
  (void)error;
  if (!(rate_hz >= 0.5f && rate_hz <= 64.0f)) {
    text_add(reason, "No such rate as ");
    text_add_float(reason, rate_hz, 2);
    return false;
  }
  return true;
}

static void self_test(const struct sensor *sensor, struct sensor_results *results) {
  (void)sensor;
  for (int i = 0; i < 30; i++) {
    results->add(results, "part", true, "It is in order.");
  }
}

static const struct sensor_driver camera = {.kind = "mlx90640",
                                            .correction_kind = 1,
                                            .correction_bytes = MLX90640_CORRECTION_BYTES,
                                            .init = init,
                                            .restart = restart,
                                            .status = status_of,
                                            .constants_size = constants_size,
                                            .constants = constants,
                                            .trust = trust,
                                            .possible = possible,
                                            .objects = objects,
                                            .correct = correct,
                                            .corrected = corrected,
                                            .set_rate = set_rate,
                                            .self_test = self_test};
static const struct external_settings room = {.elements = 2, .low = -50.0f, .high = 100.0f};
static float room_values[2];
static struct external_state room_state = {.values = room_values};
static const struct sensor sensors[SENSORS] = {
    {.driver = &camera, .name = "skin", .signal = 0, .number = 0},
    {.driver = &external_driver, .name = "room", .settings = &room, .state = &room_state, .signal = 1, .number = 1}};
static const struct signal signals[] = {{0, 1, 0, 0, 0}, {4, 2, 0, 0, 0}, {12, 1, 0, 0, 0}};
static struct sample samples[3];
static _Alignas(8) uint8_t memory[16];
static const struct graph_plan graph = {.signals = signals, .signal_count = 3, .samples = samples, .memory = memory};
static const struct alert_plan alerts[] = {
    {.when = {ALERT_AT_LEAST, 30.0f}, .model = ALERT_OF_SIGNAL, .signal = 1, .findings = 1}};
static const uint8_t person[] = {PERSON_AGE_YEARS};
static const char *const waived[] = {"Its labels were not judged."};
static const struct bundle_profile bundle = {
    .major = 1, .minor = 2, .revision = 3, .build = 4, .waived_count = 1, .waived = waived};
static const uint8_t profile_cbor[3000];
static const struct profile profile = {.name = "fuzzed",
                                       .cbor = profile_cbor,
                                       .cbor_size = sizeof profile_cbor,
                                       .sensors = sensors,
                                       .sensor_count = SENSORS,
                                       .graph = &graph,
                                       .alerts = alerts,
                                       .alert_states = self.alerts,
                                       .alert_count = 1,
                                       .person = person,
                                       .person_count = 1,
                                       .person_signal = 2,
                                       .bundle = &bundle};
static struct nor_flash nor = {.bytes = self.flash,
                               .read_size = 1,
                               .prog_size = 8,
                               .block_size = BLOCK,
                               .block_count = BLOCKS,
                               .ask = note_change};
static struct board board = {.name = "fuzzed",
                             .platform = "libFuzzer",
                             .processor = "any",
                             .serial = "1",
                             .now_us = now_us,
                             .serial_write = serial_write,
                             .serial_room = serial_room,
                             .serial_discard = serial_discard};

/* Store a correction that changes nothing but says `created`. */
static void store_identity(uint8_t created) {
  static uint8_t blob[BLOB_BYTES];
  memset(blob, 0, sizeof blob);
  memcpy(blob, "TCOR\2\1\6", 7);
  memcpy(blob + 8, sensor_id, sizeof sensor_id);
  blob[16] = created;
  for (size_t i = 0; i < PIXELS; i++) {
    store_le32(blob + CORRECTION_HEADER_BYTES + 4 * PIXELS + 4 * i, 0x3F800000);
  }
  store_le32(blob + sizeof blob - 4, crc32_update(0, blob, sizeof blob - 4));
  require(store_put(&self.sensors[0].store, blob, sizeof blob) == STATUS_OK);
}

static void start(void) {
  self.absent = self.corrected = false;
  agent_init(&self.wearable, &board, &profile, self.sensors);
  self.wearable.counters.counts[COUNTER_BUS_NACK] = 5;
  self.wearable.counters.counts[COUNTER_RESETS] = UINT32_MAX;
}

static void set_up(void) {
  if (!self.begun) {
    self.begun = true;
    board.flash = nor_flash(&nor);
    memset(self.flash, 0xFF, sizeof self.flash);
    start();
    store_identity(1);
    store_identity(2);
    memcpy(self.fresh, self.flash, sizeof self.flash);
  }
  if (self.dirty) {
    memcpy(self.flash, self.fresh, sizeof self.flash);
    self.dirty = false;
  }
  start();
}

static void check_wearer(void) {
  for (size_t i = 0; i < PERSON_COUNT; i++) {
    float low;
    float high;
    const float value = self.wearable.engine.person[i];
    require(isnan(value) || person_within((enum person_field)i, value, &low, &high));
  }
  require(self.wearable.engine.wanted_count <= ENGINE_SIGNALS);
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
    size_t answer = smp_answer_message(&self.wearable.server, self.message, message, self.answer, sizeof self.answer);
    if (answer > 0) {
      check_answer(data, answer);
    }
    check_wearer();
    self.absent ^= self.wearable.reset_wanted;
    self.wearable.reset_wanted = false;
    data += message;
    size -= message;
  }
  return 0;
}
