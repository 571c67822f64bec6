/* A command, and the answer once it is measured. */
#include "sht4x.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"
#include "quality.h"
#include "sht4x_decode.h"

#define SERIAL_NUMBER 0x89
#define SOFT_RESET 0x94
#define RESET_US 1500U
/* A serial number is there after less than this. */
#define ANSWER_US 1000U
#define LINES 2
#define BLOCK_BYTES 4

static struct sht4x_state *of(const struct sensor *sensor) {
  return sensor->state;
}

static enum status send(const struct sht4x_state *s, uint8_t command) {
  return bus_transfer(&s->linear.attended.bus, &command, 1, NULL, 0);
}

static enum status hear(const struct sht4x_state *s, uint16_t words[2]) {
  uint8_t said[SHT4X_ANSWER];
  const enum status status = bus_transfer(&s->linear.attended.bus, NULL, 0, said, sizeof said);
  return status == STATUS_OK ? sht4x_words(said, words) : status;
}

static enum status identify(const struct sensor *sensor, struct attended_held *held) {
  struct sht4x_state *s = of(sensor);
  uint16_t words[2];
  s->asked = false;
  enum status status = send(s, SERIAL_NUMBER);
  if (status == STATUS_OK) {
    bus_pause(&s->linear.attended.bus, ANSWER_US);
    status = hear(s, words);
  }
  if (status == STATUS_OK) {
    store_be16(held->id, words[0]);
    store_be16(held->id + 2, words[1]);
    held->id_size = 4;
  }
  return status;
}

/* A soft reset ends whatever it does. */
static enum status set_up(const struct sensor *sensor, uint64_t *first_us) {
  struct sht4x_state *s = of(sensor);
  const enum status status = send(s, SOFT_RESET);
  s->due_us = *first_us = board_now_us(s->linear.attended.context->board) + RESET_US;
  s->asked = false;
  return status;
}

static enum status visit(const struct sensor *sensor, struct attended_answer *answer) {
  const struct sht4x_settings *settings = sensor->settings;
  struct sht4x_state *s = of(sensor);
  const struct board *board = s->linear.attended.context->board;
  enum status status;
  if (!s->asked) {
    status = send(s, settings->command);
    s->asked = status == STATUS_OK;
    answer->next_us = board_now_us(board) + settings->conversion_us;
    return status;
  }
  s->asked = false;
  status = hear(s, s->words);
  if (status != STATUS_OK) {
    return status;
  }
  const uint64_t now_us = board_now_us(board);
  s->due_us = attended_next_us(s->due_us, s->linear.attended.plan.period_us, now_us);
  *answer = (struct attended_answer){.next_us = s->due_us,
                                     .complete = true,
                                     .time_us = now_us,
                                     .digest = crc32_update(0, (const uint8_t *)s->words, sizeof s->words)};
  return STATUS_OK;
}

static const struct attended_chip chip = {.identify = identify, .set_up = set_up, .visit = visit};

static void init(const struct sensor *sensor, const struct sensor_context *context) {
  const struct sht4x_settings *settings = sensor->settings;
  attended_linear_init(sensor, context,
                       &(struct attended_plan){.chip = &chip,
                                               .address = settings->address,
                                               .rate_hz = settings->rate_hz,
                                               .most_equal = SHT4X_STALE_READINGS});
}

static size_t pack(const struct sensor *sensor, uint8_t *data) {
  store_le16(data, of(sensor)->words[0]);
  store_le16(data + 2, of(sensor)->words[1]);
  return BLOCK_BYTES;
}

static bool read(const struct sensor *sensor, struct graph *graph, uint16_t flags, bool fresh) {
  struct sht4x_state *s = of(sensor);
  float values[2];
  flags |= sht4x_decode(s->words, linear_correction_lines(&s->linear.correction), values);
  flags |= repeats_push(&s->linear.repeats, s->words, sizeof s->words) ? QUALITY_STALE : 0;
  for (uint16_t i = 0; i < 2; i++) {
    graph_values(graph, (uint16_t)(sensor->signal + i))[0] = values[i];
    graph_put(graph, (uint16_t)(sensor->signal + i), flags, fresh);
  }
  graph_begin(graph, (int64_t)s->linear.attended.newest_us);
  return true;
}

const struct sensor_driver sht4x_driver = {
    .kind = "sht4x",
    .correction_kind = 6,
    .correction_bytes = LINES * CORRECTION_LINE_BYTES,
    ATTENDED_LINEAR_FUNCTIONS,
    .init = init,
    .pack = pack,
    .read = read,
};
