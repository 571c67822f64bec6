/* As thermo_core.sensors.mlx90640.kind reads blocks. */
#include "mlx90640.h"

#include <math.h>
#include <string.h>

#include "bus.h"
#include "bytes.h"
#include "interpolate.h"
#include "mlx90640_decode.h"
#include "mlx90640_limits.h"
#include "quality.h"

#define HEAD_BYTES 5U
#define LEAST_VALID (PIXELS * 7U / 8U)
#define TA 1U /* signals behind the picture */
#define VDD 2U
#define PAGES 4U
#define STALE_PICTURES 32U
#define SECOND_US 1000000U
#define RATE_TOLERANCE 0.1F
#define SENTENCE_BYTES 160

static struct mlx90640_state *of(const struct sensor *sensor) {
  return sensor->state;
}

static void init(const struct sensor *sensor, const struct sensor_context *context) {
  struct mlx90640_state *s = of(sensor);
  memset(s, 0, sizeof *s);
  s->context = context;
  mlx90640_acquisition_init(&s->camera, context->board, context->counters, sensor->settings, context->scratch,
                            context->sightings, sensor->number);
  sensor_route(sensor, context, &s->camera.chip.bus);
  counts_restart(&s->encoder, COUNTS_KEY_INTERVAL);
  mlx90640_correction_none(&s->correction);
  s->repeats.limit = STALE_PICTURES;
}

static uint64_t due_us(const struct sensor *sensor, uint64_t free_until_us) {
  (void)free_until_us;
  return mlx90640_acquisition_due_us(&of(sensor)->camera);
}

static bool poll(const struct sensor *sensor, uint64_t free_until_us, struct sensor_block *block) {
  (void)free_until_us;
  struct mlx90640_state *s = of(sensor);
  if (!mlx90640_acquisition_poll(&s->camera)) {
    return false;
  }
  s->newest_us = s->camera.time_us;
  *block = (struct sensor_block){.time_us = s->camera.time_us, .index = s->camera.index};
  return true;
}

static size_t pack(const struct sensor *sensor, uint8_t *data) {
  struct mlx90640_state *s = of(sensor);
  const struct mlx90640_acquisition *camera = &s->camera;
  bool key;
  uint32_t key_index;
  const size_t size = counts_encode(&s->encoder, camera->ram, camera->control, camera->number, camera->index,
                                    data + HEAD_BYTES, &key, &key_index);
  data[0] = (uint8_t)(camera->number | (key ? 2 : 0));
  store_le16(data + 1, camera->control);
  store_le16(data + 3, (uint16_t)(camera->index - key_index));
  return HEAD_BYTES + size;
}

static uint32_t count_of(const uint32_t valid[ROWS]) {
  uint32_t count = 0;
  for (uint32_t row = 0; row < ROWS; row++) {
    for (uint32_t bits = valid[row]; bits != 0; bits &= bits - 1U) {
      count++;
    }
  }
  return count;
}

/* FILLED where a pixel is, MISSING where too few were measured, OUT_OF_RANGE for the die. */
static uint16_t unfitness(const struct mlx90640_state *s, float ta) {
  uint32_t valid[ROWS];
  for (uint32_t row = 0; row < ROWS; row++) {
    valid[row] = s->correction.identity ? s->valid[row] : s->valid[row] & s->correction.valid[row];
  }
  const uint32_t count = count_of(valid);
  uint16_t flags = ta < MLX90640_COLDEST_DIE || ta > MLX90640_HOTTEST_DIE || isnan(ta) ? QUALITY_OUT_OF_RANGE : 0;
  flags |= count < LEAST_VALID ? QUALITY_MISSING : 0;
  return flags | (count < PIXELS ? QUALITY_FILLED : 0);
}

/* Decode the newest subpage over what is there; OK where it is whole. */
static enum status decode(const struct sensor *sensor, float *celsius, struct mlx90640_conditions *conditions) {
  struct mlx90640_state *s = of(sensor);
  const struct mlx90640_settings *settings = sensor->settings;
  const struct mlx90640_acquisition *camera = &s->camera;
  const struct mlx90640_optics optics = {.emissivity = settings->emissivity,
                                         .reflected_celsius = settings->reflected_celsius};
  return mlx90640_decode(&camera->constants, &optics, camera->ram, conditions, celsius, s->valid);
}

/* Whether the newest subpage completes the picture. */
static bool pair(const struct sensor *sensor, float *celsius, struct mlx90640_conditions *conditions) {
  struct mlx90640_state *s = of(sensor);
  const struct mlx90640_acquisition *camera = &s->camera;
  struct counters *counters = s->context->counters;
  const bool paired = s->waiting && camera->index - s->waiting_index == 1 && s->waiting_number != camera->number &&
                      s->waiting_constants == camera->sighting.constants;
  s->waiting = false;
  if (mlx90640_read_conditions(&camera->constants, camera->ram, camera->control, camera->number, conditions) !=
      STATUS_OK) {
    counters_add(counters, COUNTER_AUXILIARY_INVALID, 1);
    return false;
  }
  const bool completes = paired && s->waiting_chess == conditions->chess;
  if (!completes) {
    memset(s->valid, 0, sizeof s->valid);
  }
  const enum status status = decode(sensor, celsius, conditions);
  if (!completes) {
    /* Half of a picture may hold nothing at all, if the other half does. */
    s->waiting = true;
    s->waiting_number = camera->number;
    s->waiting_chess = conditions->chess;
    s->waiting_index = camera->index;
    s->waiting_constants = camera->sighting.constants;
    return false;
  }
  if ((status != STATUS_OK && status != STATUS_UNDECODABLE) || interpolate_invalid(celsius, s->valid) != STATUS_OK) {
    counters_add(counters, COUNTER_UNDECODABLE, 1);
    return false;
  }
  return true;
}

static bool read(const struct sensor *sensor, struct graph *graph, uint16_t flags, bool fresh) {
  struct mlx90640_state *s = of(sensor);
  struct mlx90640_conditions conditions;
  float *const celsius = graph_values(graph, sensor->signal);
  if (!pair(sensor, celsius, &conditions)) {
    return false;
  }
  mlx90640_correction_apply(&s->correction, celsius, conditions.ta);
  if (s->correction.identity) {
    flags |= QUALITY_UNCALIBRATED;
    flags |= s->camera.constants.found.doubt != 0 ? QUALITY_SUSPECT : 0;
  }
  flags |= unfitness(s, conditions.ta);
  const float measured[2] = {conditions.ta, conditions.vdd};
  flags |= repeats_push(&s->repeats, measured, sizeof measured) ? QUALITY_STALE : 0;
  graph_values(graph, (uint16_t)(sensor->signal + TA))[0] = conditions.ta;
  graph_values(graph, (uint16_t)(sensor->signal + VDD))[0] = conditions.vdd;
  for (uint16_t i = 0; i <= VDD; i++) {
    graph_put(graph, (uint16_t)(sensor->signal + i), flags, fresh);
  }
  graph_begin(graph, (int64_t)s->camera.time_us);
  return true;
}

static void restart(const struct sensor *sensor, uint16_t key_interval) {
  counts_restart(&of(sensor)->encoder, key_interval);
}

static void resume(const struct sensor *sensor) {
  struct mlx90640_state *s = of(sensor);
  s->waiting = false;
  mlx90640_acquisition_resume(&s->camera);
}

static void status_of(const struct sensor *sensor, struct sensor_status *status) {
  const struct mlx90640_state *s = of(sensor);
  const struct mlx90640_acquisition *camera = &s->camera;
  if (camera->has_sighting) {
    memcpy(status->id, camera->id, sizeof camera->id);
    status->id_size = camera->has_constants ? sizeof camera->id : 0;
    status->constants = camera->sighting.constants;
    status->fingerprint = camera->sighting.fingerprint;
    status->changed = camera->sighting.changed;
  }
  status->strange = camera->has_constants && camera->constants.found.doubt != 0 ? camera->constants.found.doubt : 0;
  status->rate_hz = mlx90640_acquisition_rate_hz(camera);
  status->fault = camera->fault == STATUS_OK ? NULL : bus_sentence(camera->fault);
}

static size_t constants_size(const struct sensor *sensor) {
  return of(sensor)->camera.has_eeprom ? 2U * MLX90640_EEPROM_WORDS : 0;
}

static void constants(const struct sensor *sensor, size_t offset, uint8_t *to, size_t size) {
  const uint16_t *const words = of(sensor)->camera.eeprom;
  for (size_t i = 0; i < size; i++) {
    const size_t at = offset + i;
    to[i] = (uint8_t)(words[at / 2] >> (at % 2 * 8));
  }
}

static void trust(const struct sensor *sensor) {
  struct mlx90640_acquisition *camera = &of(sensor)->camera;
  sightings_trust(camera->sightings, &camera->sighted);
  camera->sighting.changed = false;
}

static bool possible(const struct sensor *sensor, const struct correction *correction) {
  (void)sensor;
  struct mlx90640_correction opened;
  return mlx90640_correction_open(correction, &opened) == STATUS_OK;
}

static bool objects(const struct sensor *sensor, const struct correction *correction, struct text *reason) {
  (void)sensor;
  struct mlx90640_correction opened;
  return mlx90640_correction_open(correction, &opened) == STATUS_OK &&
         mlx90640_correction_is_implausible(&opened, reason);
}

static void correct(const struct sensor *sensor, const struct correction *correction) {
  struct mlx90640_state *s = of(sensor);
  if (correction == NULL || mlx90640_correction_open(correction, &s->correction) != STATUS_OK) {
    mlx90640_correction_none(&s->correction);
  }
  s->waiting = false;
  s->repeats.count = 0;
}

static bool corrected(const struct sensor *sensor) {
  return !of(sensor)->correction.identity;
}

static bool set_rate(const struct sensor *sensor, float rate_hz, enum group_error *error, struct text *reason) {
  struct mlx90640_acquisition *camera = &of(sensor)->camera;
  const enum status status = mlx90640_acquisition_set_rate(camera, rate_hz);
  *error = GROUP_ERROR_BAD_RATE;
  switch (status) {
    case STATUS_OK:
      return true;
    case STATUS_ARGUMENT:
      text_add(reason, "The MLX90640 has no refresh rate of ");
      text_add_float(reason, rate_hz, 2);
      text_add(reason, " Hz; use one of 0.5, 1, 2, 4, 8, 16, 32, 64.");
      return false;
    case STATUS_FULL:
      text_add(reason, "A page takes ");
      text_add_unsigned(reason, camera->chip.read_us / 1000);
      text_add(reason, " ms on this I2C bus, too long for that rate; choose a lower one or raise the bus frequency.");
      return false;
    default:
      *error = GROUP_ERROR_NO_SENSOR;
      text_add(reason, bus_sentence(status));
      return false;
  }
}

static void within(struct sensor_results *results, const char *name, float value, float low, float high,
                   const char *unit) {
  char sentence[SENTENCE_BYTES];
  struct text text;
  text_begin(&text, sentence, sizeof sentence);
  text_add_float(&text, value, 2);
  text_add(&text, unit);
  text_add(&text, "; ");
  text_add_float(&text, low, 0);
  text_add(&text, " to ");
  text_add_float(&text, high, high < 10.0F ? 1 : 0);
  text_add(&text, " is in order.");
  results->add(results, name, low <= value && value <= high, sentence);
}

/* Capture until the newest page is not older than three periods; whether there is one. */
static bool has_fresh_page(struct mlx90640_state *s) {
  const struct board *board = s->context->board;
  const uint64_t period_us = (uint32_t)(1e6F / mlx90640_acquisition_rate_hz(&s->camera));
  const uint64_t now_us = board_now_us(board);
  if (s->newest_us != 0 && now_us - s->newest_us <= 3 * period_us) {
    return true;
  }
  mlx90640_acquisition_resume(&s->camera);
  s->newest_us = 0;
  const uint64_t end_us = now_us + (PAGES + 2) * period_us + SECOND_US;
  for (uint32_t pages = 0; pages < PAGES && board_now_us(board) < end_us;) {
    const uint64_t due = mlx90640_acquisition_due_us(&s->camera);
    board_watchdog_feed(board);
    board_wait_until_us(board, due < end_us ? due : end_us);
    if (mlx90640_acquisition_poll(&s->camera)) {
      s->newest_us = s->camera.time_us;
      pages++;
    }
  }
  s->waiting = false;
  return s->newest_us != 0;
}

static void check_page(const struct sensor *sensor, struct sensor_results *results) {
  /* The signals of a sensor are written between two blocks: nothing else needs their place. */
  struct mlx90640_state *s = of(sensor);
  struct mlx90640_conditions conditions;
  struct mlx90640_acquisition *camera = &s->camera;
  char sentence[SENTENCE_BYTES];
  struct text text;
  text_begin(&text, sentence, sizeof sentence);
  s->waiting = false;
  memset(s->valid, 0, sizeof s->valid);
  enum status status =
      mlx90640_read_conditions(&camera->constants, camera->ram, camera->control, camera->number, &conditions);
  if (status == STATUS_OK) {
    status = decode(sensor, s->context->scratch, &conditions);
  }
  if (status != STATUS_OK) {
    results->add(
        results, "page decodes", false,
        status == STATUS_BAD_AUXILIARY
            ? "An auxiliary word of the newest page cannot be right; check supply and wiring."
            : "No pixel of the newest page gives a temperature of -40 to 300 degC; check what the sensor looks at.");
    return;
  }
  text_add_unsigned(&text, count_of(s->valid));
  text_add(&text, " valid pixels in the newest subpage.");
  results->add(results, "page decodes", true, sentence);
  within(results, "supply", conditions.vdd, MLX90640_LOWEST_SUPPLY, MLX90640_HIGHEST_SUPPLY, " V");
  within(results, "ambient", conditions.ta, MLX90640_COLDEST_DIE, MLX90640_HOTTEST_DIE, " degC");
}

static void check_rate(const struct mlx90640_acquisition *camera, struct sensor_results *results, bool fresh) {
  const float nominal = mlx90640_acquisition_rate_hz(camera);
  const float measured = mlx90640_acquisition_measured_rate_hz(camera);
  char sentence[SENTENCE_BYTES];
  struct text text;
  text_begin(&text, sentence, sizeof sentence);
  if (fresh) {
    text_add_float(&text, measured, 2);
    text_add(&text, " subpages/s of ");
    text_add_float(&text, nominal, nominal < 1.0F ? 1 : 0);
    text_add(&text, ".");
  } else {
    text_add(&text, "No subpage came.");
  }
  results->add(results, "refresh rate", fresh && fabsf(measured / nominal - 1.0F) <= RATE_TOLERANCE, sentence);
}

static void check_eeprom(struct mlx90640_acquisition *camera, struct sensor_results *results) {
  const enum status status = mlx90640_acquisition_verify_eeprom(camera);
  const char *sentence = "Two reads agree with each other and with the constants in use.";
  if (status == STATUS_DAMAGED) {
    sentence = "It held something else than the constants in use, which were taken from it anew; repeat the test.";
  } else if (status == STATUS_EMPTY) {
    sentence = "It could not be read, because the picture sensor has never answered.";
  } else if (status != STATUS_OK) {
    sentence = bus_sentence(status);
  }
  results->add(results, "EEPROM", status == STATUS_OK, sentence);
}

static void self_test(const struct sensor *sensor, struct sensor_results *results) {
  struct mlx90640_state *s = of(sensor);
  struct mlx90640_acquisition *camera = &s->camera;
  const bool fresh = has_fresh_page(s);
  const bool running = camera->state == MLX90640_RUNNING;
  results->add(results, "sensor answers", running,
               running ? "The picture sensor is set up and answers." : bus_sentence(camera->fault));
  if (camera->has_constants) {
    char sentence[SENTENCE_BYTES];
    struct text text;
    text_begin(&text, sentence, sizeof sentence);
    text_add_unsigned(&text, camera->constants.found.bad_count);
    text_add(&text, " bad pixels by the EEPROM, filled in from their neighbours.");
    results->add(results, "bad pixels", true, sentence);
    check_rate(camera, results, fresh);
    if (fresh) {
      check_page(sensor, results);
    }
  }
  check_eeprom(camera, results);
}

const struct sensor_driver mlx90640_driver = {
    .kind = "mlx90640",
    .correction_kind = 1,
    .correction_bytes = MLX90640_CORRECTION_BYTES,
    .urgent = true,
    .init = init,
    .due_us = due_us,
    .poll = poll,
    .pack = pack,
    .read = read,
    .restart = restart,
    .resume = resume,
    .status = status_of,
    .constants_size = constants_size,
    .constants = constants,
    .trust = trust,
    .possible = possible,
    .objects = objects,
    .correct = correct,
    .corrected = corrected,
    .set_rate = set_rate,
    .self_test = self_test,
};
