/* What such drivers share around their registers. */
#include "attended_fifo.h"

#include "quality.h"

/* Without samples for so many bursts it does not measure. */
#define MOST_PERIODS 4U

void attended_fifo_init(const struct sensor *sensor, const struct sensor_context *context, struct attended_plan *plan,
                        uint8_t burst) {
  struct attended_fifo *fifo = sensor->state;
  const float sample_us = 1e6F / plan->rate_hz;
  plan->period_us = (uint32_t)(sample_us * (float)burst);
  plan->slack_us = (uint32_t)(sample_us * (float)(FIFO_DEPTH - burst) / 2.0F);
  sample_clock_init(&fifo->clock, sample_us);
  fifo->burst.samples = 0;
  repeats_begin(&fifo->repeats, plan->most_equal);
  fifo->size = burst;
  plan->most_equal = (plan->most_equal + burst - 1U) / burst;
  attended_init(sensor, context, plan);
}

uint64_t attended_fifo_begin(struct attended_fifo *fifo) {
  sample_clock_restart(&fifo->clock);
  fifo->heard_us = board_now_us(fifo->attended.context->board);
  return fifo->heard_us + sample_clock_span_us(&fifo->clock, fifo->size);
}

enum status attended_fifo_wait(const struct attended_fifo *fifo, struct attended_answer *answer, uint64_t now_us,
                               uint32_t count) {
  answer->next_us = now_us + sample_clock_span_us(&fifo->clock, fifo->size - count);
  const uint64_t longest_us = sample_clock_span_us(&fifo->clock, MOST_PERIODS * fifo->size);
  return now_us - fifo->heard_us > longest_us ? STATUS_RESET : STATUS_OK;
}

bool attended_fifo_read(const struct sensor *sensor, struct graph *graph, uint16_t flags, bool fresh, uint32_t channels,
                        attended_fifo_decode decode) {
  struct attended_fifo *fifo = sensor->state;
  const struct fifo_burst *burst = &fifo->burst;
  uint64_t begin_us;
  if (!fifo_burst_begin_us(burst, fifo->attended.newest_us, &begin_us)) {
    counters_add(fifo->attended.context->counters, COUNTER_UNDECODABLE, 1);
    return false;
  }
  for (uint32_t i = 0; i < burst->samples; i++) {
    const int32_t *const counts = burst->counts + (size_t)i * channels;
    uint16_t said = decode(sensor, counts, graph_values(graph, sensor->signal));
    if (repeats_push(&fifo->repeats, counts, sizeof *counts * channels) && !(said & QUALITY_OFF_SKIN)) {
      said |= QUALITY_STALE;
    }
    graph_put(graph, sensor->signal, flags | said, i == 0 && (fresh || burst->timing.lost > 0));
    graph_begin(graph, (int64_t)(begin_us + (uint64_t)i * burst->timing.period_us));
  }
  return true;
}
