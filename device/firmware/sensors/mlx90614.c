/* Its words at the rate asked for, each with its packet error code. */
#include "mlx90614.h"

#include "bytes.h"
#include "crc.h"
#include "quality.h"

enum { TA = 0x06, TO_1 = 0x07, EEPROM = 0x20 };
/* Before the first measurement all temperatures are 0. */
#define FIRST_DATA_US 250000U

static struct mlx90614_state *of(const struct sensor *sensor) {
  return sensor->state;
}

static uint32_t word_count(const struct sensor *sensor) {
  return 1U + ((const struct mlx90614_settings *)sensor->settings)->zones;
}

static enum status read_word(const struct sensor *sensor, uint8_t command, uint16_t *word) {
  const struct mlx90614_settings *settings = sensor->settings;
  uint8_t answer[3];
  const enum status status = bus_transfer(&of(sensor)->linear.attended.bus, &command, 1, answer, sizeof answer);
  return status == STATUS_OK ? mlx90614_word(answer, settings->address, command, settings->check_pec, word) : status;
}

static enum status identify(const struct sensor *sensor, struct attended_held *held) {
  struct mlx90614_constants constants;
  for (uint32_t i = 0; i < MLX90614_EEPROM_WORDS; i++) {
    const enum status status = read_word(sensor, (uint8_t)(EEPROM + i), &held->words[i]);
    if (status != STATUS_OK) {
      return status;
    }
  }
  held->id_size = sizeof held->id;
  return mlx90614_extract(held->words, &constants, held->id);
}

/* It measures by itself once it has power. */
static enum status set_up(const struct sensor *sensor, uint64_t *first_us) {
  struct mlx90614_state *s = of(sensor);
  uint8_t id[SENSOR_ID_BYTES];
  const enum status status = mlx90614_extract(s->eeprom, &s->constants, id);
  s->due_us = *first_us = board_now_us(s->linear.attended.context->board) + FIRST_DATA_US;
  return status;
}

static size_t put_block(const struct sensor *sensor, uint8_t *data) {
  for (uint32_t i = 0; i < word_count(sensor); i++) {
    store_le16(data + 2U * i, of(sensor)->words[i]);
  }
  return 2U * word_count(sensor);
}

/* The sensor's own temperature and the objects'. */
static enum status visit(const struct sensor *sensor, struct attended_answer *answer) {
  struct mlx90614_state *s = of(sensor);
  for (uint32_t i = 0; i < word_count(sensor); i++) {
    const enum status status = read_word(sensor, (uint8_t)(i == 0 ? TA : TO_1 + i - 1U), &s->words[i]);
    if (status != STATUS_OK) {
      return status;
    }
  }
  const uint64_t now_us = board_now_us(s->linear.attended.context->board);
  uint8_t data[2 * (1 + MLX90614_ZONES)];
  const size_t size = put_block(sensor, data);
  s->due_us = attended_next_us(s->due_us, s->linear.attended.plan.period_us, now_us);
  *answer = (struct attended_answer){
      .next_us = s->due_us, .complete = true, .time_us = now_us, .digest = crc32_update(0, data, size)};
  return STATUS_OK;
}

static const struct attended_chip chip = {.identify = identify, .set_up = set_up, .visit = visit};

static void init(const struct sensor *sensor, const struct sensor_context *context) {
  const struct mlx90614_settings *settings = sensor->settings;
  struct mlx90614_state *s = of(sensor);
  attended_linear_init(sensor, context,
                       &(struct attended_plan){.chip = &chip,
                                               .words = s->eeprom,
                                               .word_count = MLX90614_EEPROM_WORDS,
                                               .address = settings->address,
                                               .rate_hz = settings->rate_hz,
                                               .most_equal = settings->stale_readings});
}

static size_t pack(const struct sensor *sensor, uint8_t *data) {
  return put_block(sensor, data);
}

static bool read(const struct sensor *sensor, struct graph *graph, uint16_t flags, bool fresh) {
  const struct mlx90614_settings *settings = sensor->settings;
  struct mlx90614_state *s = of(sensor);
  struct mlx90614_reading reading;
  if (s->constants.zones < settings->zones) { /* a part with one zone where the profile wants two */
    counters_add(s->linear.attended.context->counters, COUNTER_UNDECODABLE, 1);
    return false;
  }
  const struct correction_line *lines = linear_correction_lines(&s->linear.correction);
  mlx90614_decode(&s->constants, &settings->optics, lines, s->words, settings->zones, &reading);
  flags |= repeats_push(&s->linear.repeats, s->words, 2U * word_count(sensor)) ? QUALITY_STALE : 0;
  graph_values(graph, (uint16_t)(sensor->signal + 1U))[0] = reading.ta;
  graph_put(graph, (uint16_t)(sensor->signal + 1U), flags | reading.ta_flags, fresh);
  for (uint32_t zone = 0; zone < settings->zones; zone++) {
    const uint16_t signal = (uint16_t)(sensor->signal + 2U * zone); /* the object, the sensor, the second object */
    graph_values(graph, signal)[0] = reading.object[zone];
    graph_put(graph, signal, flags | reading.object_flags[zone], fresh);
  }
  graph_begin(graph, (int64_t)s->linear.attended.newest_us);
  return true;
}

const struct sensor_driver mlx90614_driver = {
    .kind = "mlx90614",
    .correction_kind = 4,
    .correction_bytes = MLX90614_ZONES * CORRECTION_LINE_BYTES,
    ATTENDED_LINEAR_FUNCTIONS,
    ATTENDED_CONSTANTS,
    .init = init,
    .pack = pack,
    .read = read,
};
