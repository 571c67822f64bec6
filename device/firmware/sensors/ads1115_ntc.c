/* As thermo_core.sensors.ads1115_ntc.kind reads blocks. A correction's body is Steinhart-Hart a, b, c, float64, of each
   channel; all zero keeps the profile's curve. */
#include "ads1115_ntc.h"

#include <math.h>
#include <string.h>

#include "bytes.h"
#include "float32.h"
#include "own_identity.h"
#include "quality.h"

#define CURVE_BYTES 24U
#define LARGEST_K 5.0F
#define SCAN_US 500000U
#define SENTENCE_BYTES 128

/* Resistances, of the divider's, at which curves are compared. */
static const float shares[3] = {0.5F, 1.0F, 2.0F};

static struct ads1115_ntc_state *of(const struct sensor *sensor) {
  return sensor->state;
}

static uint8_t channels_of(const struct sensor *sensor) {
  return ((const struct thermistor_settings *)sensor->settings)->channel_count;
}

static void init(const struct sensor *sensor, const struct sensor_context *context) {
  struct ads1115_ntc_state *s = of(sensor);
  memset(s, 0, sizeof *s);
  s->context = context;
  thermistor_array_init(&s->array, context->board, context->counters, sensor->settings);
  sensor_route(sensor, context, &s->array.bus);
}

static uint64_t due_us(const struct sensor *sensor, uint64_t free_until_us) {
  return thermistor_array_due_us(&of(sensor)->array, free_until_us);
}

static bool poll(const struct sensor *sensor, uint64_t free_until_us, struct sensor_block *block) {
  struct ads1115_ntc_state *s = of(sensor);
  if (!thermistor_array_poll(&s->array, free_until_us)) {
    return false;
  }
  s->found = s->found || !s->array.lost;
  *block = (struct sensor_block){.time_us = s->array.time_us, .index = s->next_index++};
  return true;
}

static size_t pack(const struct sensor *sensor, uint8_t *data) {
  const struct thermistor_array *array = &of(sensor)->array;
  for (size_t i = 0; i < channels_of(sensor); i++) {
    const struct thermistor_reading *reading = &array->readings[i];
    const int16_t counts = reading->state == THERMISTOR_MISSING  ? ADS1115_NTC_NOT_READ
                           : reading->state == THERMISTOR_FROZEN ? ADS1115_NTC_FROZEN
                                                                 : reading->counts;
    store_le16(data + 2 * i, (uint16_t)counts);
  }
  return 2U * channels_of(sensor);
}

static bool read(const struct sensor *sensor, struct graph *graph, uint16_t flags, bool fresh) {
  static const uint16_t said[] = {0, QUALITY_OPEN, QUALITY_SHORTED, QUALITY_MISSING, QUALITY_STALE};
  struct ads1115_ntc_state *s = of(sensor);
  float *const celsius = graph_values(graph, sensor->signal);
  for (size_t i = 0; i < channels_of(sensor); i++) {
    const struct thermistor_reading *reading = &s->array.readings[i];
    celsius[i] = reading->state == THERMISTOR_OK ? reading->celsius : float32_nothing();
    flags |= said[reading->state];
    flags |= s->calibrated[i] ? 0 : QUALITY_UNCALIBRATED;
  }
  graph_put(graph, sensor->signal, flags, fresh);
  graph_begin(graph, (int64_t)s->array.time_us);
  return true;
}

static void status_of(const struct sensor *sensor, struct sensor_status *status) {
  const struct ads1115_ntc_state *s = of(sensor);
  if (s->found) {
    own_identity(s->context->board->serial, sensor->number, status->id);
    status->id_size = sizeof status->id;
  }
  status->rate_hz = ((const struct thermistor_settings *)sensor->settings)->rate_hz;
  status->fault = s->array.lost ? "The thermistor ADC does not answer; check its wiring and supply." : NULL;
}

/* The curve of one channel; false where zeros of either sign keep the profile's. */
static bool read_curve(const struct correction *correction, size_t channel, struct thermistor_curve *curve) {
  uint8_t bytes[CURVE_BYTES];
  uint64_t bits = 0;
  flash_span_read(&correction->body, CURVE_BYTES * channel, bytes, sizeof bytes);
  for (size_t i = 0; i < CURVE_BYTES; i += 8) {
    bits |= load_le64(bytes + i) & INT64_MAX;
  }
  *curve =
      (struct thermistor_curve){correction_double(bytes), correction_double(bytes + 8), correction_double(bytes + 16)};
  return bits != 0;
}

static bool possible(const struct sensor *sensor, const struct correction *correction) {
  (void)sensor;
  const size_t count = correction->body.size / CURVE_BYTES;
  if (correction->body.size % CURVE_BYTES != 0 || count < 1 || count > THERMISTOR_MAX_CHANNELS) {
    return false;
  }
  for (size_t i = 0; i < count; i++) {
    struct thermistor_curve curve;
    if (read_curve(correction, i, &curve) && !thermistor_curve_is_possible(&curve)) {
      return false;
    }
  }
  return true;
}

static bool moves(const struct thermistor_profile *channel, const struct thermistor_curve *calibrated,
                  struct text *reason) {
  struct thermistor_curve expected;
  if (!thermistor_profile_curve(channel, &expected)) {
    return false;
  }
  for (size_t at = 0; at < sizeof shares / sizeof shares[0]; at++) {
    const float ohm = channel->series_ohm * shares[at];
    const float celsius = thermistor_curve_celsius(&expected, ohm);
    const float moved = thermistor_curve_celsius(calibrated, ohm) - celsius;
    if (!(fabsf(moved) <= LARGEST_K)) {
      text_add(reason, "The correction moves thermistor '");
      text_add(reason, channel->name);
      text_add(reason, "' at ");
      text_add_float(reason, celsius, 1);
      text_add(reason, " degC by ");
      text_add(reason, moved < 0.0F ? "" : "+");
      text_add_float(reason, moved, 2);
      text_add(reason, " K, and its data sheet is right to 5 K; check its place and circuit, and calibrate again.");
      return true;
    }
  }
  return false;
}

static bool objects(const struct sensor *sensor, const struct correction *correction, struct text *reason) {
  const struct thermistor_settings *settings = sensor->settings;
  const size_t count = correction->body.size / CURVE_BYTES;
  if (count != settings->channel_count) {
    text_add(reason, "The correction has curves of ");
    text_add_unsigned(reason, count);
    text_add(reason, " thermistors, and ");
    text_add(reason, sensor->name);
    text_add(reason, " has ");
    text_add_unsigned(reason, settings->channel_count);
    text_add(reason, "; calibrate this wearable.");
    return true;
  }
  for (size_t i = 0; i < count; i++) {
    struct thermistor_curve curve;
    if (read_curve(correction, i, &curve) && moves(&settings->channels[i], &curve, reason)) {
      return true;
    }
  }
  return false;
}

static void correct(const struct sensor *sensor, const struct correction *correction) {
  struct ads1115_ntc_state *s = of(sensor);
  thermistor_array_reset_curves(&s->array);
  memset(s->calibrated, 0, sizeof s->calibrated);
  const size_t count = correction == NULL ? 0 : correction->body.size / CURVE_BYTES;
  for (size_t i = 0; i < count && i < channels_of(sensor); i++) {
    struct thermistor_curve curve;
    if (read_curve(correction, i, &curve)) {
      s->array.curves[i] = curve;
      s->calibrated[i] = true;
    }
  }
}

static bool corrected(const struct sensor *sensor) {
  const struct ads1115_ntc_state *s = of(sensor);
  bool any = false;
  for (size_t i = 0; i < channels_of(sensor); i++) {
    any = any || s->calibrated[i];
  }
  return any;
}

static void self_test(const struct sensor *sensor, struct sensor_results *results) {
  static const char *const faults[] = {"", "The channel is open.", "The channel is shorted.", "The channel is missing.",
                                       "The channel is frozen."};
  struct ads1115_ntc_state *s = of(sensor);
  const struct thermistor_settings *settings = sensor->settings;
  const struct board *board = s->context->board;
  const uint64_t end_us = board_now_us(board) + SCAN_US;
  thermistor_array_begin(&s->array);
  while (!thermistor_array_poll(&s->array, UINT64_MAX) && board_now_us(board) < end_us) {
    board_watchdog_feed(board);
    board_wait_until_us(board, thermistor_array_due_us(&s->array, UINT64_MAX));
  }
  for (uint8_t i = 0; i < settings->channel_count; i++) {
    const struct thermistor_reading *reading = &s->array.readings[i];
    char name[64];
    char sentence[SENTENCE_BYTES];
    struct text text;
    text_begin(&text, name, sizeof name);
    text_add(&text, "thermistor ");
    text_add(&text, settings->channels[i].name);
    text_begin(&text, sentence, sizeof sentence);
    if (reading->state == THERMISTOR_OK) {
      text_add_float(&text, reading->celsius, 2);
      text_add(&text, " degC.");
    } else {
      text_add(&text, faults[reading->state]);
    }
    results->add(results, name, reading->state == THERMISTOR_OK, sentence);
  }
}

const struct sensor_driver ads1115_ntc_driver = {
    .kind = "ads1115-ntc",
    .correction_kind = 2,
    .correction_bytes = CURVE_BYTES * THERMISTOR_MAX_CHANNELS,
    .init = init,
    .due_us = due_us,
    .poll = poll,
    .pack = pack,
    .read = read,
    .status = status_of,
    .possible = possible,
    .objects = objects,
    .correct = correct,
    .corrected = corrected,
    .self_test = self_test,
};
