/* A result each time the configuration says that one is ready, which tells a reset too.

   A chip that hangs goes on saying that a result is ready, and skin is as steady as what it says. So now and then its
   offset is moved for one result, from which the shift is taken away again: where results do not follow, they are
   marked as no new ones. */
#include "tmp117.h"

#include "bytes.h"
#include "crc.h"
#include "quality.h"
#include "tmp117_decode.h"

enum { RESULT = 0x00, CONFIGURATION = 0x01, OFFSET = 0x07, DEVICE_ID = 0x0F };
#define ID 0x0117U
#define ID_MASK 0x0FFFU
#define DATA_READY 0x2000U
/* Mode, cycle and averages. */
#define SET_MASK 0x0FE0U
/* 64 K: more than skin, or any maker's offset, moves by itself. */
#define SHIFT 0x2000
#define CHECK_US 10000000U
#define TRIES 3
/* Results in a row that do not follow only where nothing is converted, and that do, with the offset moved for one of
   them, where it is again. */
#define MOST_APART 2
#define LEAST_AGREEING 2
#define POINTER_SIZE 1
#define BLOCK_BYTES 4

static struct tmp117_state *of(const struct sensor *sensor) {
  return sensor->state;
}

static enum status read_word(const struct tmp117_state *s, uint8_t pointer, uint16_t *word) {
  return bus_read_words(&s->linear.attended.bus, pointer, POINTER_SIZE, word, 1);
}

static int32_t counts_of(uint16_t word) {
  return (int16_t)word;
}

/* As two reads agree on. */
static enum status read_offset(const struct tmp117_state *s, uint16_t *word) {
  uint16_t before;
  enum status status = read_word(s, OFFSET, &before);
  for (uint32_t i = 0; status == STATUS_OK && i < TRIES; i++) {
    status = read_word(s, OFFSET, word);
    if (status == STATUS_OK && *word == before) {
      return STATUS_OK;
    }
    before = *word;
  }
  return status == STATUS_OK ? STATUS_RESET : status;
}

/* What the next result should follow. */
static enum status write_offset(const struct tmp117_state *s) {
  const uint16_t wanted = (uint16_t)(s->own_offset + (s->follows.shifted ? SHIFT : 0));
  uint16_t found = (uint16_t)~wanted;
  enum status status = STATUS_OK;
  for (uint32_t i = 0; status == STATUS_OK && found != wanted && i < TRIES; i++) {
    status = bus_write_word(&s->linear.attended.bus, OFFSET, POINTER_SIZE, wanted);
    if (status == STATUS_OK) {
      status = read_word(s, OFFSET, &found);
    }
  }
  return status == STATUS_OK && found != wanted ? STATUS_RESET : status;
}

/* The offset that the chip has of its own, whatever shift a driver that was interrupted has left in it; what was known
   of its results before still holds. */
static enum status begin_to_follow(struct tmp117_state *s) {
  uint16_t word;
  const enum status status = read_offset(s, &word);
  if (status != STATUS_OK) {
    return status;
  }
  const int32_t counts = counts_of(word);
  s->own_offset = ((counts + 4 * SHIFT + SHIFT / 2) % SHIFT) - SHIFT / 2;
  s->follows.shifted = false;
  s->follows.agreed = s->follows.apart = 0;
  s->check_us = 0;
  return write_offset(s);
}

/* Whether a chip that hung has by now moved with its offset often enough, from wherever it was. */
static bool thaws(struct tmp117_follows *f, int32_t counts) {
  const int32_t wanted = SHIFT * ((int32_t)f->shifted - (int32_t)f->shifted_before);
  const int32_t off = counts - f->before - wanted;
  const bool followed = wanted != 0 && off < SHIFT / 2 && off > -SHIFT / 2;
  f->agreed = followed ? f->agreed + 1U : 0;
  f->frozen = f->agreed < LEAST_AGREEING;
  return !f->frozen;
}

/* Takes a result, from which it takes the shift; whether it is known to be new. */
static bool take(struct tmp117_follows *f, uint16_t *result, bool due) {
  int32_t counts = counts_of(*result);
  bool seen = f->shifted;
  bool is_new;
  if (f->frozen) {
    is_new = thaws(f, counts);
  } else {
    seen = f->known && counts - f->last >= SHIFT / 2;
    is_new = seen == f->shifted;
    f->apart = is_new ? 0 : f->apart + 1U;
    f->frozen = f->apart >= MOST_APART;
    f->agreed = 0;
  }
  f->before = counts;
  f->shifted_before = f->shifted;
  counts -= seen ? SHIFT : 0;
  if (is_new) {
    f->last = counts;
    f->known = true;
    f->apart = 0;
  }
  if (f->frozen) {
    f->shifted = !f->shifted;
  } else if (is_new) {
    f->shifted = due && !f->shifted;
  }
  *result = (uint16_t)counts;
  return is_new;
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
    status = begin_to_follow(s);
  }
  if (status == STATUS_OK) {
    status = read_word(s, CONFIGURATION, &word); /* takes the flag of what nobody knows the age of */
  }
  *first_us = attended_paged_begin(&s->linear.attended, &s->schedule);
  return status;
}

static enum status visit(const struct sensor *sensor, struct attended_answer *answer) {
  const struct tmp117_settings *settings = sensor->settings;
  struct tmp117_state *s = of(sensor);
  uint16_t found;
  enum status status = read_word(s, CONFIGURATION, &found);
  const uint64_t now_us = board_now_us(s->linear.attended.context->board);
  if (status != STATUS_OK) {
    return status;
  }
  if ((found ^ settings->configuration) & SET_MASK) {
    return STATUS_RESET;
  }
  if (!(found & DATA_READY)) {
    return attended_paged_wait(&s->linear.attended, &s->schedule, now_us, answer);
  }
  uint16_t result;
  status = read_word(s, RESULT, &result);
  if (status != STATUS_OK) {
    return status;
  }
  const bool was_frozen = s->follows.frozen;
  const bool was_shifted = s->follows.shifted;
  const bool due = now_us >= s->check_us;
  const bool is_new = take(&s->follows, &result, due);
  if (due && is_new) {
    s->check_us = now_us + CHECK_US;
  }
  if (!is_new || s->follows.shifted != was_shifted) {
    status = write_offset(s);
    if (status != STATUS_OK) {
      return status;
    }
  }
  s->found = is_new ? found : (uint16_t)(found & ~DATA_READY);
  s->result = result;
  uint8_t said[BLOCK_BYTES];
  store_le16(said, s->found);
  store_le16(said + 2, s->result);
  const uint32_t pages = page_schedule_came(&s->schedule, now_us);
  *answer = (struct attended_answer){.next_us = s->schedule.poll_us,
                                     .complete = true,
                                     .time_us = s->schedule.end_us,
                                     .lost = pages - 1U,
                                     .hangs = s->follows.frozen && !was_frozen,
                                     .digest = crc32_update(0, said, sizeof said)};
  return STATUS_OK;
}

static const struct attended_chip chip = {.identify = identify, .set_up = set_up, .visit = visit};

static void init(const struct sensor *sensor, const struct sensor_context *context) {
  const struct tmp117_settings *settings = sensor->settings;
  struct tmp117_state *s = of(sensor);
  attended_linear_init(sensor, context,
                       &(struct attended_plan){.chip = &chip,
                                               .address = settings->address,
                                               .rate_hz = settings->rate_hz,
                                               .most_equal = settings->stale_readings});
  s->follows = (struct tmp117_follows){0};
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
    ATTENDED_LINEAR_FUNCTIONS,
    .init = init,
    .pack = pack,
    .read = read,
};
