/* Constants and rate from the EEPROM, a reading each time the chip's flag rises. */
#include "mlx90632.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"
#include "quality.h"

enum {
  EEPROM = 0x2405,
  CUSTOMER = 0x2481,
  MEASUREMENT_1 = 0x24E1,
  MEASUREMENT_2 = 0x24E2,
  CONTROL = 0x3001,
  COMMAND = 0x3005,
  STATUS_WORD = 0x3FFF,
  MEDICAL_RAM = 0x4003,
};
#define CUSTOMER_WORDS 2U
#define REFRESH_SHIFT 8
#define REFRESH_MASK 0x0700U
#define HALT 0x0000U
#define CONTINUOUS 0x0006U /* in the medical range */
#define EEPROM_KEY 0x554CU
#define NEW_DATA 0x0001U
#define BROWN_OUT 0x0100U
#define POINTER_SIZE 2
/* A cell is written in 8 ms. */
#define EEPROM_US 10000U
#define READS 3
#define ID_BYTES 6
#define BLOCK_BYTES (2 + 2 * MLX90632_MEDICAL_WORDS)

static struct mlx90632_state *of(const struct sensor *sensor) {
  return sensor->state;
}

static enum status read_words(const struct mlx90632_state *s, uint16_t address, uint16_t *words, size_t count) {
  return bus_read_words(&s->linear.attended.bus, address, POINTER_SIZE, words, count);
}

static enum status write_word(const struct mlx90632_state *s, uint16_t address, uint16_t word) {
  return bus_write_word(&s->linear.attended.bus, address, POINTER_SIZE, word);
}

static enum status read_constants(const struct mlx90632_state *s, uint16_t words[MLX90632_CONSTANT_WORDS]) {
  const size_t factory = MLX90632_CONSTANT_WORDS - CUSTOMER_WORDS;
  const enum status status = read_words(s, EEPROM, words, factory);
  return status == STATUS_OK ? read_words(s, CUSTOMER, words + factory, CUSTOMER_WORDS) : status;
}

/* Read the constants until two reads agree. */
static enum status identify(const struct sensor *sensor, struct attended_held *held) {
  const struct mlx90632_state *s = of(sensor);
  const size_t size = sizeof(uint16_t[MLX90632_CONSTANT_WORDS]);
  uint16_t *const reads = held->words;
  for (uint32_t i = 0; i < READS; i++) {
    uint16_t *const words = reads + (size_t)i * MLX90632_CONSTANT_WORDS;
    const enum status status = read_constants(s, words);
    if (status != STATUS_OK) {
      return status;
    }
    for (uint32_t before = 0; before < i; before++) {
      if (memcmp(words, reads + (size_t)before * MLX90632_CONSTANT_WORDS, size) == 0) {
        struct mlx90632_constants constants;
        memmove(reads, words, size);
        held->id_size = ID_BYTES;
        return mlx90632_extract(reads, &constants, held->id);
      }
    }
    if (i > 0) {
      counters_add(s->linear.attended.context->counters, COUNTER_CONSTANTS_MISMATCH, 1);
    }
  }
  return STATUS_DAMAGED;
}

/* Write a cell of the EEPROM for good: it is erased first, each time in halt mode and after the key. */
static enum status burn(const struct mlx90632_state *s, uint16_t cell, uint16_t word) {
  enum status status = write_word(s, CONTROL, HALT);
  const uint16_t values[] = {0, word};
  for (uint32_t i = 0; status == STATUS_OK && i < 2; i++) {
    status = write_word(s, COMMAND, EEPROM_KEY);
    if (status == STATUS_OK) {
      status = write_word(s, cell, values[i]);
    }
    bus_pause(&s->linear.attended.bus, EEPROM_US);
  }
  return status;
}

static enum status set_cell(const struct mlx90632_state *s, uint16_t cell, uint16_t rate) {
  uint16_t word;
  const enum status status = read_words(s, cell, &word, 1);
  const uint16_t wanted = (uint16_t)((word & ~REFRESH_MASK) | rate);
  return status != STATUS_OK || word == wanted ? status : burn(s, cell, wanted);
}

/* Medical measurements, one after another, at the rate asked for; clear what it says of a brown-out. */
static enum status set_up(const struct sensor *sensor, uint64_t *first_us) {
  const struct mlx90632_settings *settings = sensor->settings;
  struct mlx90632_state *s = of(sensor);
  uint8_t id[ID_BYTES];
  enum status status = mlx90632_extract(s->eeprom, &s->constants, id);
  const uint16_t cells[] = {MEASUREMENT_1, MEASUREMENT_2};
  for (uint32_t i = 0; status == STATUS_OK && i < 2; i++) {
    status = set_cell(s, cells[i], (uint16_t)((uint32_t)settings->rate_code << REFRESH_SHIFT));
  }
  if (status == STATUS_OK) {
    status = write_word(s, CONTROL, CONTINUOUS);
  }
  if (status == STATUS_OK) {
    status = write_word(s, STATUS_WORD, 0);
  }
  *first_us = attended_paged_begin(&s->linear.attended, &s->schedule);
  return status;
}

static size_t put_block(const struct mlx90632_state *s, uint8_t *data) {
  store_le16(data, s->status);
  for (uint32_t i = 0; i < MLX90632_MEDICAL_WORDS; i++) {
    store_le16(data + 2U + 2U * i, (uint16_t)s->words[i]);
  }
  return BLOCK_BYTES;
}

static bool is_possible_cycle(uint16_t status) {
  const uint32_t cycle = status >> 2 & 0x1FU;
  return cycle == 1U || cycle == 2U;
}

static enum status take(struct mlx90632_state *s, uint16_t found, uint64_t now_us, struct attended_answer *answer) {
  uint16_t words[MLX90632_MEDICAL_WORDS];
  enum status status = read_words(s, MEDICAL_RAM, words, MLX90632_MEDICAL_WORDS);
  if (status == STATUS_OK) {
    status = write_word(s, STATUS_WORD, (uint16_t)(found & ~NEW_DATA));
  }
  if (status != STATUS_OK) {
    return status;
  }
  const uint32_t pages = page_schedule_came(&s->schedule, now_us);
  if (!is_possible_cycle(found)) {
    return STATUS_DAMAGED;
  }
  s->status = found;
  for (uint32_t i = 0; i < MLX90632_MEDICAL_WORDS; i++) {
    s->words[i] = (int16_t)words[i];
  }
  uint8_t data[BLOCK_BYTES];
  const size_t size = put_block(s, data);
  const size_t head = size - sizeof s->words; /* the position in the cycle goes on where the words hang */
  *answer = (struct attended_answer){.next_us = s->schedule.poll_us,
                                     .complete = true,
                                     .time_us = s->schedule.end_us,
                                     .lost = pages - 1U,
                                     .digest = crc32_update(0, data + head, size - head)};
  return STATUS_OK;
}

/* Look at the status; read the words where it says so. */
static enum status visit(const struct sensor *sensor, struct attended_answer *answer) {
  struct mlx90632_state *s = of(sensor);
  uint16_t found;
  const enum status status = read_words(s, STATUS_WORD, &found, 1);
  const uint64_t now_us = board_now_us(s->linear.attended.context->board);
  if (status != STATUS_OK) {
    return status;
  }
  if (found & BROWN_OUT) {
    return STATUS_RESET;
  }
  if (found & NEW_DATA) {
    return take(s, found, now_us, answer);
  }
  return attended_paged_wait(&s->linear.attended, &s->schedule, now_us, answer);
}

static const struct attended_chip chip = {.identify = identify, .set_up = set_up, .visit = visit};

static void init(const struct sensor *sensor, const struct sensor_context *context) {
  const struct mlx90632_settings *settings = sensor->settings;
  struct mlx90632_state *s = of(sensor);
  attended_linear_init(sensor, context,
                       &(struct attended_plan){.chip = &chip,
                                               .words = s->eeprom,
                                               .word_count = MLX90632_CONSTANT_WORDS,
                                               .address = settings->address,
                                               .rate_hz = settings->rate_hz,
                                               .most_equal = MLX90632_STALE_READINGS});
}

static size_t pack(const struct sensor *sensor, uint8_t *data) {
  return put_block(of(sensor), data);
}

static bool read(const struct sensor *sensor, struct graph *graph, uint16_t flags, bool fresh) {
  const struct mlx90632_settings *settings = sensor->settings;
  struct mlx90632_state *s = of(sensor);
  struct mlx90632_reading reading;
  if (mlx90632_decode(&s->constants, &settings->optics, linear_correction_lines(&s->linear.correction), s->status,
                      s->words, &reading) != STATUS_OK) {
    counters_add(s->linear.attended.context->counters, COUNTER_UNDECODABLE, 1);
    return false;
  }
  flags |= reading.flags;
  flags |= repeats_push(&s->linear.repeats, s->words, sizeof s->words) ? QUALITY_STALE : 0;
  graph_values(graph, sensor->signal)[0] = reading.object;
  graph_values(graph, (uint16_t)(sensor->signal + 1U))[0] = reading.ta;
  graph_put(graph, sensor->signal, flags, fresh);
  graph_put(graph, (uint16_t)(sensor->signal + 1U), flags, fresh);
  graph_begin(graph, (int64_t)s->linear.attended.newest_us);
  return true;
}

const struct sensor_driver mlx90632_driver = {
    .kind = "mlx90632",
    .correction_kind = 3,
    .correction_bytes = CORRECTION_LINE_BYTES,
    ATTENDED_LINEAR_FUNCTIONS,
    ATTENDED_CONSTANTS,
    .init = init,
    .pack = pack,
    .read = read,
};
