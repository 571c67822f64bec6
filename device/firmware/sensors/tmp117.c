/* A result each time the configuration says that one is ready, which tells a reset too. */
#include "tmp117.h"

#include "bytes.h"
#include "crc.h"
#include "quality.h"
#include "tmp117_decode.h"

enum { RESULT = 0x00, CONFIGURATION = 0x01, DEVICE_ID = 0x0F };
#define ID 0x0117U
#define ID_MASK 0x0FFFU
#define DATA_READY 0x2000U
/* Mode, cycle and averages. */
#define SET_MASK 0x0FE0U
#define POINTER_SIZE 1
#define BLOCK_BYTES 4

static struct tmp117_state *of(const struct sensor *sensor) {
  return sensor->state;
}

static enum status read_word(const struct tmp117_state *s, uint8_t pointer, uint16_t *word) {
  return bus_read_words(&s->linear.attended.bus, pointer, POINTER_SIZE, word, 1);
}

/* What it is, and the words of its EEPROM that its maker filled with a number of its own. */
static enum status identify(const struct sensor *sensor, struct attended_held *held) {
  static const uint8_t cells[] = {0x05, 0x06, 0x08};
  const struct tmp117_state *s = of(sensor);
  uint16_t word;
  enum status status = read_word(s, DEVICE_ID, &word);
  if (status == STATUS_OK && (word & ID_MASK) != ID) {
    return STATUS_WRONG_CHIP;
  }
  for (uint32_t i = 0; status == STATUS_OK && i < sizeof cells; i++) {
    status = read_word(s, cells[i], &word);
    store_be16(held->id + 2U * i, word);
  }
  held->id_size = 2U * sizeof cells;
  return status;
}

static enum status set_up(const struct sensor *sensor, uint64_t *first_us) {
  const struct tmp117_settings *settings = sensor->settings;
  struct tmp117_state *s = of(sensor);
  uint16_t word;
  enum status status = bus_write_word(&s->linear.attended.bus, CONFIGURATION, POINTER_SIZE, settings->configuration);
  if (status == STATUS_OK) {
    status = read_word(s, CONFIGURATION, &word); /* takes the flag of what nobody knows the age of */
  }
  const float period_us = 1e6F / settings->rate_hz;
  page_schedule_restart(&s->schedule, board_now_us(s->linear.attended.context->board), period_us, 2.0F * period_us);
  *first_us = s->schedule.poll_us;
  return status;
}

static enum status visit(const struct sensor *sensor, struct attended_answer *answer) {
  const struct tmp117_settings *settings = sensor->settings;
  struct tmp117_state *s = of(sensor);
  const struct sensor_context *context = s->linear.attended.context;
  uint16_t found;
  enum status status = read_word(s, CONFIGURATION, &found);
  const uint64_t now_us = board_now_us(context->board);
  if (status != STATUS_OK) {
    return status;
  }
  if ((found ^ settings->configuration) & SET_MASK) {
    return STATUS_RESET;
  }
  if (!(found & DATA_READY)) {
    page_schedule_unseen(&s->schedule, now_us);
    answer->next_us = s->schedule.poll_us;
    if (now_us > s->schedule.timeout_us) {
      counters_add(context->counters, COUNTER_READING_LATE, 1);
      return STATUS_RESET;
    }
    return STATUS_OK;
  }
  uint16_t result;
  status = read_word(s, RESULT, &result);
  if (status != STATUS_OK) {
    return status;
  }
  s->found = found;
  s->result = result;
  uint8_t said[BLOCK_BYTES];
  store_le16(said, found);
  store_le16(said + 2, result);
  const uint32_t pages = page_schedule_came(&s->schedule, now_us);
  *answer = (struct attended_answer){.next_us = s->schedule.poll_us,
                                     .complete = true,
                                     .time_us = s->schedule.end_us,
                                     .lost = pages - 1U,
                                     .digest = crc32_update(0, said, sizeof said)};
  return STATUS_OK;
}

static const struct attended_chip chip = {.identify = identify, .set_up = set_up, .visit = visit};

static void init(const struct sensor *sensor, const struct sensor_context *context) {
  const struct tmp117_settings *settings = sensor->settings;
  const uint32_t period_us = (uint32_t)(1e6F / settings->rate_hz);
  attended_init(sensor, context,
                &(struct attended_plan){.chip = &chip,
                                        .address = settings->address,
                                        .rate_hz = settings->rate_hz,
                                        .period_us = period_us,
                                        .slack_us = period_us / 2U,
                                        .most_equal = settings->stale_readings});
  struct tmp117_state *s = of(sensor);
  s->linear.correction.known = false;
  s->linear.repeats = (struct repeats){.limit = settings->stale_readings};
}

static size_t pack(const struct sensor *sensor, uint8_t *data) {
  store_le16(data, of(sensor)->found);
  store_le16(data + 2, of(sensor)->result);
  return BLOCK_BYTES;
}

static bool read(const struct sensor *sensor, struct graph *graph, uint16_t flags, bool fresh) {
  struct tmp117_state *s = of(sensor);
  float *celsius = graph_values(graph, sensor->signal);
  flags |= tmp117_decode(s->found, s->result, linear_correction_lines(&s->linear.correction), celsius);
  flags |= repeats_push(&s->linear.repeats, &s->result, sizeof s->result) ? QUALITY_STALE : 0;
  graph_put(graph, sensor->signal, flags, fresh);
  graph_begin(graph, (int64_t)s->linear.attended.newest_us);
  return true;
}

const struct sensor_driver tmp117_driver = {
    .kind = "tmp117",
    .correction_kind = 5,
    .correction_bytes = CORRECTION_LINE_BYTES,
    .init = init,
    .due_us = attended_due_us,
    .poll = attended_poll,
    .pack = pack,
    .read = read,
    .resume = attended_resume,
    .status = attended_status,
    .trust = attended_trust,
    .possible = attended_linear_possible,
    .correct = attended_linear_correct,
    .corrected = attended_linear_corrected,
    .self_test = attended_self_test,
};
