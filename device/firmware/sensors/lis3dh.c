/* Its FIFO in bursts: how many samples wait, and the samples once there are enough. */
#include "lis3dh.h"

#include <math.h>

#include "float32.h"
#include "quality.h"

enum { WHO_AM_I = 0x0F, OUT = 0x28, FIFO_SOURCE = 0x2F, AUTO_INCREMENT = 0x80 };
#define IDENTITY 0x33
#define OVERRUN 0x40U
#define UNREAD_MASK 0x1FU
#define MOST_LOST 255U
#define AXES 3U
/* Steps above this stand still. */
#define FINEST_MG 2
#define CORRECTION_BYTES 48U

static struct lis3dh_state *of(const struct sensor *sensor) {
  return sensor->state;
}

static enum status read_register(const struct lis3dh_state *s, uint8_t address, uint8_t *to, size_t size) {
  return bus_transfer(&s->fifo.attended.bus, &address, 1, to, size);
}

/* What it is; it has no identity of its own. */
static enum status identify(const struct sensor *sensor, struct attended_held *held) {
  (void)held;
  uint8_t found;
  const enum status status = read_register(of(sensor), WHO_AM_I, &found, 1);
  return status == STATUS_OK && found != IDENTITY ? STATUS_WRONG_CHIP : status;
}

/* Have it measure into its FIFO. */
static enum status set_up(const struct sensor *sensor, uint64_t *first_us) {
  const struct lis3dh_settings *settings = sensor->settings;
  struct lis3dh_state *s = of(sensor);
  const enum status status = attended_write_all(&s->fifo.attended, settings->messages);
  *first_us = attended_fifo_begin(&s->fifo);
  return status;
}

/* Samples that went because nobody read them: the FIFO keeps the newest. */
static uint32_t overwritten(struct lis3dh_state *s, uint64_t now_us, uint32_t count) {
  counters_add(s->fifo.attended.context->counters, COUNTER_FIFO_OVERFLOWED, 1);
  if (!s->fifo.clock.has_end) {
    return 0;
  }
  const float taken = rintf(float32_of_signed((int64_t)(now_us - s->fifo.clock.end_us)) / s->fifo.clock.period_us);
  const float lost = fminf(taken, 1e9F) - (float)count;
  return lost > 1.0F ? (uint32_t)lost : 1U;
}

static enum status take(const struct sensor *sensor, uint64_t now_us, uint32_t count, bool full,
                        struct attended_answer *answer) {
  const struct lis3dh_settings *settings = sensor->settings;
  struct lis3dh_state *s = of(sensor);
  uint8_t *const raw = s->fifo.attended.context->scratch;
  s->fifo.heard_us = now_us;
  enum status status = read_register(s, AUTO_INCREMENT | OUT, raw, (size_t)LIS3DH_BYTES * count);
  if (status == STATUS_OK) {
    status = lis3dh_counts(raw, count, settings->scale.shift, s->fifo.burst.counts);
  }
  if (status != STATUS_OK) {
    return status;
  }
  const uint32_t lost = full ? overwritten(s, now_us, count) : 0;
  const uint64_t end_us = sample_clock_read(&s->fifo.clock, now_us, count + lost);
  const int32_t half = 1 << (15U - settings->scale.shift);
  s->fifo.burst.samples = count;
  s->fifo.burst.timing = (struct sample_timing){.period_us = (uint32_t)sample_clock_span_us(&s->fifo.clock, 1),
                                                .lost = lost < MOST_LOST ? lost : MOST_LOST};
  *answer = (struct attended_answer){.next_us = now_us + sample_clock_span_us(&s->fifo.clock, settings->burst),
                                     .complete = true,
                                     .time_us = end_us,
                                     .lost = (lost + settings->burst - 1U) / settings->burst,
                                     .digest = fifo_burst_digest(&s->fifo.burst, AXES, -half, half - 1)};
  return STATUS_OK;
}

static enum status visit(const struct sensor *sensor, struct attended_answer *answer) {
  const struct lis3dh_settings *settings = sensor->settings;
  struct lis3dh_state *s = of(sensor);
  uint8_t source;
  const enum status status = read_register(s, FIFO_SOURCE, &source, 1);
  const uint64_t now_us = board_now_us(s->fifo.attended.context->board);
  if (status != STATUS_OK) {
    return status;
  }
  const bool full = (source & OVERRUN) != 0;
  const uint32_t count = full ? FIFO_DEPTH : source & UNREAD_MASK;
  if (count >= settings->burst) {
    return take(sensor, now_us, count, full, answer);
  }
  return attended_fifo_wait(&s->fifo, answer, now_us, count);
}

static const struct attended_chip chip = {.identify = identify, .set_up = set_up, .visit = visit};

static void init(const struct sensor *sensor, const struct sensor_context *context) {
  const struct lis3dh_settings *settings = sensor->settings;
  attended_fifo_init(
      sensor, context,
      &(struct attended_plan){.chip = &chip,
                              .address = settings->address,
                              .rate_hz = settings->rate_hz,
                              .most_equal = settings->scale.mg_a_count <= FINEST_MG ? LIS3DH_STALE_SAMPLES : 0},
      settings->burst);
  of(sensor)->has_correction = false;
}

static size_t pack(const struct sensor *sensor, uint8_t *data) {
  const struct lis3dh_settings *settings = sensor->settings;
  const struct fifo_burst *burst = &of(sensor)->fifo.burst;
  const int32_t half = 1 << (15U - settings->scale.shift);
  const struct sample_format format = {.channels = AXES, .low = -half, .high = half - 1};
  return samples_encode(&format, &burst->timing, burst->counts, burst->samples, data);
}

static uint16_t decode(const struct sensor *sensor, const int32_t *counts, float *values) {
  const struct lis3dh_settings *settings = sensor->settings;
  const struct lis3dh_state *s = of(sensor);
  return lis3dh_decode(&settings->scale, s->has_correction ? &s->correction : NULL, counts, values);
}

static bool read(const struct sensor *sensor, struct graph *graph, uint16_t flags, bool fresh) {
  return attended_fifo_read(sensor, graph, flags, fresh, AXES, decode);
}

static bool possible(const struct sensor *sensor, const struct correction *correction) {
  (void)sensor;
  struct lis3dh_correction found;
  return lis3dh_correction_read(&correction->body, &found) == STATUS_OK;
}

static void correct(const struct sensor *sensor, const struct correction *correction) {
  struct lis3dh_state *s = of(sensor);
  s->has_correction = correction != NULL && lis3dh_correction_read(&correction->body, &s->correction) == STATUS_OK;
  s->fifo.repeats.count = 0;
}

static bool corrected(const struct sensor *sensor) {
  const struct lis3dh_state *s = of(sensor);
  bool changes = false;
  for (uint32_t i = 0; i < AXES * AXES; i++) {
    changes = changes || s->correction.matrix[i] != (i % 4U == 0 ? 1.0F : 0.0F);
    changes = changes || (i < AXES && s->correction.offset[i] != 0.0F);
  }
  return s->has_correction && changes;
}

const struct sensor_driver lis3dh_driver = {
    .kind = "lis3dh",
    .correction_kind = 7,
    .correction_bytes = CORRECTION_BYTES,
    ATTENDED_FUNCTIONS,
    .init = init,
    .pack = pack,
    .read = read,
    .possible = possible,
    .correct = correct,
    .corrected = corrected,
};
