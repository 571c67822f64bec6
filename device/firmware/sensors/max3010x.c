/* Its FIFO in bursts: how many samples wait, and the samples once there are enough. */
#include "max3010x.h"

#include "quality.h"

enum { INTERRUPT_1 = 0x00, WRITE_POINTER = 0x04, FIFO = 0x07, PART_ID = 0xFF };
#define PART 0x15
#define POWER_READY 0x01U
#define AMBIENT_OVERFLOW 0x20U
#define POINTER_MASK 0x1FU
#define FULL 0x3FFFF
#define RESET_US 1000U

static struct max3010x_state *of(const struct sensor *sensor) {
  return sensor->state;
}

static enum status read_register(const struct max3010x_state *s, uint8_t address, uint8_t *to, size_t size) {
  return bus_transfer(&s->fifo.attended.bus, &address, 1, to, size);
}

/* What it is; it has no identity of its own. */
static enum status identify(const struct sensor *sensor, struct attended_held *held) {
  (void)held;
  uint8_t part;
  const enum status status = read_register(of(sensor), PART_ID, &part, 1);
  return status == STATUS_OK && part != PART ? STATUS_WRONG_CHIP : status;
}

/* Reset it, and have it light its LEDs. */
static enum status set_up(const struct sensor *sensor, uint64_t *first_us) {
  const struct max3010x_settings *settings = sensor->settings;
  struct max3010x_state *s = of(sensor);
  uint8_t interrupts;
  enum status status = attended_write_all(&s->fifo.attended, settings->reset);
  if (status == STATUS_OK) {
    bus_pause(&s->fifo.attended.bus, RESET_US);
    status = attended_write_all(&s->fifo.attended, settings->messages);
  }
  if (status == STATUS_OK) {
    status = read_register(s, INTERRUPT_1, &interrupts, 1); /* forgets that it had no power */
  }
  s->lost = 0;
  *first_us = attended_fifo_begin(&s->fifo);
  return status;
}

static enum status take(const struct sensor *sensor, uint64_t now_us, uint32_t count, uint32_t lost, uint8_t status_1,
                        struct attended_answer *answer) {
  const struct max3010x_settings *settings = sensor->settings;
  struct max3010x_state *s = of(sensor);
  const struct sensor_context *context = s->fifo.attended.context;
  const uint32_t leds = settings->scale.leds;
  uint8_t *const raw = context->scratch;
  s->fifo.heard_us = now_us;
  enum status status = read_register(s, FIFO, raw, (size_t)MAX3010X_BYTES * leds * count);
  if (status == STATUS_OK) {
    status = max3010x_counts(raw, count, leds, s->fifo.burst.counts);
  }
  if (status != STATUS_OK) {
    return status;
  }
  const uint64_t newest_us = sample_clock_read(&s->fifo.clock, now_us, count + lost);
  const uint64_t lost_us = sample_clock_span_us(&s->fifo.clock, lost);
  if (lost > 0) {
    counters_add(context->counters, COUNTER_FIFO_OVERFLOWED, 1);
  }
  s->fifo.burst.samples = count;
  s->fifo.burst.timing = (struct sample_timing){.period_us = (uint32_t)sample_clock_span_us(&s->fifo.clock, 1),
                                                .lost = s->lost,
                                                .status = (uint8_t)(status_1 & AMBIENT_OVERFLOW)};
  const uint32_t left = count > settings->burst ? count - settings->burst : 0;
  const uint32_t wait = settings->burst > left ? settings->burst - left : 1;
  *answer = (struct attended_answer){
      .next_us = board_now_us(context->board) + sample_clock_span_us(&s->fifo.clock, wait),
      .complete = true,
      .time_us = newest_us > lost_us ? newest_us - lost_us : 0,
      .lost = (s->lost + settings->burst - 1U) / settings->burst,
      .digest = fifo_burst_digest(&s->fifo.burst, leds, 0, settings->scale.full_count),
  };
  s->lost = lost; /* a FIFO that is full keeps its oldest: what went lies behind what was read */
  return STATUS_OK;
}

static enum status visit(const struct sensor *sensor, struct attended_answer *answer) {
  const struct max3010x_settings *settings = sensor->settings;
  struct max3010x_state *s = of(sensor);
  const struct sensor_context *context = s->fifo.attended.context;
  uint8_t interrupts;
  uint8_t pointers[3]; /* write, overflows, read */
  enum status status = read_register(s, INTERRUPT_1, &interrupts, 1);
  if (status == STATUS_OK && interrupts & POWER_READY) {
    return STATUS_RESET;
  }
  if (status == STATUS_OK) {
    status = read_register(s, WRITE_POINTER, pointers, sizeof pointers);
  }
  if (status != STATUS_OK) {
    return status;
  }
  const uint64_t now_us = board_now_us(context->board);
  const uint32_t lost = pointers[1] & POINTER_MASK;
  uint32_t count = (uint32_t)(pointers[0] - pointers[2]) & POINTER_MASK;
  count = count == 0 && lost > 0 ? FIFO_DEPTH : count;
  if (count >= settings->burst) {
    return take(sensor, now_us, count, lost, interrupts, answer);
  }
  status = attended_fifo_wait(&s->fifo, answer, now_us, count);
  if (status == STATUS_RESET) {
    counters_add(context->counters, COUNTER_READING_LATE, 1);
  }
  return status;
}

static const struct attended_chip chip = {.identify = identify, .set_up = set_up, .visit = visit};

static void init(const struct sensor *sensor, const struct sensor_context *context) {
  const struct max3010x_settings *settings = sensor->settings;
  attended_fifo_init(sensor, context,
                     &(struct attended_plan){.chip = &chip,
                                             .address = settings->address,
                                             .rate_hz = settings->rate_hz,
                                             .most_equal = MAX3010X_STALE_SAMPLES},
                     settings->burst);
}

static size_t pack(const struct sensor *sensor, uint8_t *data) {
  const struct max3010x_settings *settings = sensor->settings;
  const struct fifo_burst *burst = &of(sensor)->fifo.burst;
  const struct sample_format format = {.channels = (uint8_t)settings->scale.leds, .low = 0, .high = FULL};
  return samples_encode(&format, &burst->timing, burst->counts, burst->samples, data);
}

static uint16_t decode(const struct sensor *sensor, const int32_t *counts, float *values) {
  const struct max3010x_settings *settings = sensor->settings;
  return max3010x_decode(&settings->scale, counts, of(sensor)->fifo.burst.timing.status, values);
}

static bool read(const struct sensor *sensor, struct graph *graph, uint16_t flags, bool fresh) {
  const struct max3010x_settings *settings = sensor->settings;
  return attended_fifo_read(sensor, graph, flags, fresh, settings->scale.leds, decode);
}

const struct sensor_driver max3010x_driver = {
    .kind = "max3010x",
    ATTENDED_FUNCTIONS,
    .init = init,
    .pack = pack,
    .read = read,
};
