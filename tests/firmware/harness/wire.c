/* The wire side of the core for ctypes: one receiver, one store, and the SMP server of a wearable whose sensors are a
   bench's: a camera "skin" and thermistors "spots" that say what a test wants, and "room", numbers from outside. */
#include <string.h>

#include "agent.h"
#include "bus.h"
#include "external.h"
#include "failing_flash.h"
#include "framing.h"
#include "mlx90640_correction.h"
#include "quality.h"

#define PROFILE_BYTES 2500
#define CONSTANTS_BYTES 1664
#define SENSORS 3

static struct {
  struct framing_receiver receiver;
  struct board board;
  struct store store;
  struct store_kind kind;
  struct wearable wearable;
  struct wearable_sensor sensors[SENSORS];
  struct alert alerts[1];
  uint32_t corrections, trusts;
  uint16_t key_interval;
  bool absent, corrected, doubted, verbose;
  uint8_t id[6];
  uint8_t constants[CONSTANTS_BYTES];
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

/* The bench's board. */

static uint64_t now_us(void *context) {
  (void)context;
  return 1234;
}

static bool serial_write(void *context, const uint8_t *data, size_t size) {
  (void)context;
  (void)data;
  (void)size;
  return true;
}

static size_t serial_room(void *context) {
  (void)context;
  return 4096;
}

static uint32_t serial_overruns(void *context) {
  (void)context;
  return 0;
}

static void serial_discard(void *context) {
  (void)context;
}

/* The bench's sensors. */

static void init(const struct sensor *sensor, const struct sensor_context *context) {
  (void)sensor;
  (void)context;
}

static const char *longest_fault(void) {
  const char *longest = "";
  for (int status = STATUS_OK; status <= STATUS_ARGUMENT; status++) {
    const char *sentence = bus_sentence((enum status)status);
    longest = strlen(sentence) > strlen(longest) ? sentence : longest;
  }
  return longest;
}

static void camera_status(const struct sensor *sensor, struct sensor_status *status) {
  (void)sensor;
  if (!self.absent) {
    memcpy(status->id, self.id, sizeof self.id);
    status->id_size = sizeof self.id;
    status->constants = 7;
    status->fingerprint = 0xCAFE;
    status->changed = self.doubted;
  }
  status->rate_hz = 16.0f;
  status->fault = self.verbose ? longest_fault() : NULL;
}

static size_t constants_size(const struct sensor *sensor) {
  (void)sensor;
  return self.absent ? 0 : CONSTANTS_BYTES;
}

static void constants(const struct sensor *sensor, size_t offset, uint8_t *to, size_t size) {
  (void)sensor;
  memcpy(to, self.constants + offset, size);
}

static void camera_restart(const struct sensor *sensor, uint16_t key_interval) {
  (void)sensor;
  self.key_interval = key_interval;
}

static void trust(const struct sensor *sensor) {
  (void)sensor;
  self.trusts++;
}

static bool possible(const struct sensor *sensor, const struct correction *blob) {
  (void)sensor;
  struct mlx90640_correction correction;
  return mlx90640_correction_open(blob, &correction) == STATUS_OK;
}

static bool objects(const struct sensor *sensor, const struct correction *blob, struct text *reason) {
  (void)sensor;
  struct mlx90640_correction correction;
  mlx90640_correction_open(blob, &correction);
  return mlx90640_correction_is_implausible(&correction, reason);
}

static void correct(const struct sensor *sensor, const struct correction *correction) {
  (void)sensor;
  self.corrected = correction != NULL;
  self.corrections++;
}

static bool corrected(const struct sensor *sensor) {
  (void)sensor;
  return self.corrected;
}

static bool set_rate(const struct sensor *sensor, float rate_hz, enum group_error *error, struct text *reason) {
  (void)sensor;
  *error = GROUP_ERROR_BAD_RATE;
  if (!(rate_hz >= 0.5f && rate_hz <= 64.0f)) {
    text_add(reason, "The sensor has no refresh rate of ");
    text_add_float(reason, rate_hz, 1);
    text_add(reason, " Hz.");
    return false;
  }
  return true;
}

static void self_test(const struct sensor *sensor, struct sensor_results *results) {
  (void)sensor;
  results->add(results, "EEPROM", true, "Two reads agree.");
  results->add(results, "supply", false, "2.90 V; 3 to 3.6 is in order.");
}

static void array_status(const struct sensor *sensor, struct sensor_status *status) {
  (void)sensor;
  status->rate_hz = 2.0f;
  status->fault = "The thermistor ADC does not answer; check its wiring and supply.";
}

static const struct sensor_driver camera_driver = {.kind = "mlx90640",
                                                   .correction_kind = 1,
                                                   .correction_bytes = MLX90640_CORRECTION_BYTES,
                                                   .init = init,
                                                   .restart = camera_restart,
                                                   .status = camera_status,
                                                   .constants_size = constants_size,
                                                   .constants = constants,
                                                   .trust = trust,
                                                   .possible = possible,
                                                   .objects = objects,
                                                   .correct = correct,
                                                   .corrected = corrected,
                                                   .set_rate = set_rate,
                                                   .self_test = self_test};
static const struct sensor_driver array_driver = {.kind = "ads1115-ntc", .init = init, .status = array_status};
static const struct external_settings room = {.elements = 2, .low = -50.0f, .high = 100.0f, .rate_hz = 1.0f};
static float room_values[2];
static struct external_state room_state = {.values = room_values};
static const struct sensor sensors[SENSORS] = {
    {.driver = &camera_driver, .name = "skin", .signal = 0, .number = 0},
    {.driver = &array_driver, .name = "spots", .signal = 1, .number = 1},
    {.driver = &external_driver, .name = "room", .settings = &room, .state = &room_state, .signal = 2, .number = 2}};

/* Signals of the sensors and "person.age_years". */
static const struct signal signals[] = {{0, 1, 0, 0, 0}, {4, 1, 0, 0, 0}, {8, 2, 0, 0, 0}, {16, 1, 0, 0, 0}};
static struct sample samples[4];
static _Alignas(8) uint8_t memory[24];
static const struct graph_plan graph = {.signals = signals, .signal_count = 4, .samples = samples, .memory = memory};
static const struct alert_plan alerts[] = {
    {.when = {ALERT_AT_LEAST, 30.0f}, .model = ALERT_OF_SIGNAL, .signal = 2, .findings = 1}};
static const uint8_t person[] = {PERSON_AGE_YEARS};
static struct bundle_profile bundle = {.major = 1, .minor = 2, .revision = 3, .build = 4, .development_key = true};
static char long_name[65], long_waived[8][513];
static const char *waived[8];
static struct profile profile = {.cbor = self.profile_cbor,
                                 .cbor_size = PROFILE_BYTES,
                                 .sensors = sensors,
                                 .sensor_count = SENSORS,
                                 .graph = &graph,
                                 .alerts = alerts,
                                 .alert_states = self.alerts,
                                 .alert_count = 1,
                                 .person = person,
                                 .person_count = 1,
                                 .person_signal = 3};

/* A name of 64 bytes, so many sentences of so many bytes that say what was waived, a board with long names, and a
   camera with the longest fault and warning. */
void wire_long_texts(size_t sentences, size_t bytes);

void wire_long_texts(size_t sentences, size_t bytes) {
  memset(long_name, 'n', sizeof long_name - 1);
  profile.name = self.board.name = self.board.platform = long_name;
  self.board.serial = long_name + sizeof long_name - 32; /* as many as a simulated board has room for */
  self.verbose = self.doubted = true;
  for (size_t i = 0; i < sentences; i++) {
    memset(long_waived[i], 'w', bytes);
    long_waived[i][bytes] = 0;
    waived[i] = long_waived[i];
  }
  bundle.waived_count = (uint8_t)sentences;
  bundle.waived = waived;
}

/* Server. */

void wire_restart_server(const char *processor, const char *system, const uint8_t *sensor_id, bool has_bundle,
                         bool doubted);
size_t wire_answer(uint8_t *message, size_t size, uint8_t *answer, size_t capacity);
uint32_t wire_seen(int what);
void wire_count(int counter, uint32_t count);
void wire_push_alert(float value);
float wire_fed(size_t place);

void wire_restart_server(const char *processor, const char *system, const uint8_t *sensor_id, bool has_bundle,
                         bool doubted) {
  memset(&self, 0, sizeof self);
  self.board = *flash_board(4096, 20, 1, 8);
  self.board.name = "thermo-edge bench";
  self.board.platform = "test bench";
  self.board.processor = processor;
  self.board.serial = "bench-1";
  self.board.now_us = now_us;
  self.board.serial_write = serial_write;
  self.board.serial_room = serial_room;
  self.board.serial_overruns = serial_overruns;
  self.board.serial_discard = serial_discard;
  self.doubted = doubted;
  self.absent = sensor_id == NULL;
  if (sensor_id != NULL) {
    memcpy(self.id, sensor_id, sizeof self.id);
  }
  for (size_t i = 0; i < sizeof bundle.image_sha256; i++) {
    bundle.image_sha256[i] = (uint8_t)i;
    profile.cbor_sha256[i] = (uint8_t)(255 - i);
  }
  for (size_t i = 0; i < CONSTANTS_BYTES; i++) {
    self.constants[i] = (uint8_t)(i * 7 % 253);
  }
  for (size_t i = 0; i < PROFILE_BYTES; i++) {
    self.profile_cbor[i] = (uint8_t)(i % 251);
  }
  profile.name = "breast-patch";
  profile.bundle = has_bundle ? &bundle : NULL;
  bundle.waived_count = 0;
  agent_init(&self.wearable, &self.board, &profile, self.sensors);
  self.wearable.os.name = "patch-7";
  self.wearable.os.system = system;
}

size_t wire_answer(uint8_t *message, size_t size, uint8_t *answer, size_t capacity) {
  return smp_answer_message(&self.wearable.server, message, size, answer, capacity);
}

uint32_t wire_seen(int what) {
  const uint32_t seen[] = {self.wearable.reset_wanted,
                           self.wearable.counters.counts[COUNTER_REQUESTS_REFUSED],
                           self.corrections,
                           outbox_left_ms(&self.wearable.outbox),
                           self.key_interval,
                           self.trusts,
                           self.corrected,
                           room_state.waiting,
                           self.wearable.engine.wanted_count};
  return seen[what];
}

float wire_fed(size_t place) {
  return room_values[place];
}

void wire_count(int counter, uint32_t count) {
  counters_add(&self.wearable.counters, (enum counter)counter, count);
}

void wire_push_alert(float value) {
  alert_push(&alerts[0], &self.alerts[0], value, 0, 1000);
}

/* Store. */

bool wire_new_flash(size_t block_size, size_t blocks, size_t read_size, size_t prog_size);
void wire_open_store(void);
int wire_store_write(size_t offset, size_t length, const uint8_t *data, size_t size);
int wire_store_commit(void);
int wire_store_rollback(void);
size_t wire_store_read(int slot, uint8_t *data);
bool wire_store_damaged(void);

static bool holds(const void *context, const struct flash_span *data) {
  (void)context;
  struct correction correction;
  return correction_open(data, &correction) == STATUS_OK;
}

void wire_open_store(void) {
  self.kind = (struct store_kind){
      .least = CORRECTION_FRAME_BYTES, .most = CORRECTION_FRAME_BYTES + MLX90640_CORRECTION_BYTES, .holds = holds};
  store_open(&self.store, &self.board.flash, &self.kind, 0, self.board.flash.block_count);
}

bool wire_new_flash(size_t block_size, size_t blocks, size_t read_size, size_t prog_size) {
  self.board = *flash_board(block_size, blocks, read_size, prog_size);
  wire_open_store();
  return self.store.area_blocks > 0;
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
  const struct flash_span correction = store_get(&self.store, (enum store_slot)slot);
  flash_span_read(&correction, 0, data, correction.size);
  return correction.size;
}

bool wire_store_damaged(void) {
  return self.store.damaged;
}
