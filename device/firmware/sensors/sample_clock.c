/* The estimate goes on by as many periods as there are samples, and is kept within the last period before the read. */
#include "sample_clock.h"
#include "float32.h"

#include <math.h>

/* A chip's clock is off by no more than this part. */
#define WIDEST 0.12F
/* The period is measured over so many samples at most, since it drifts with temperature. */
#define SAMPLES 4096U
/* Weight of the period known before, in samples. */
#define KNOWN 64.0F
/* The longest span, some half an hour: a whole number of microseconds that 32 bits hold, because compilers take a float
   to 64 bits by way of double precision, in software. */
#define LONGEST_US 2147483520.0F

void sample_clock_init(struct sample_clock *c, float nominal_us) {
  *c = (struct sample_clock){.nominal_us = nominal_us, .period_us = nominal_us};
}

void sample_clock_restart(struct sample_clock *c) {
  c->has_end = false;
  c->since = 0;
}

uint64_t sample_clock_span_us(const struct sample_clock *c, uint32_t count) {
  return (uint64_t)lrintf(fminf((float)count * c->period_us, LONGEST_US));
}

static uint64_t before(uint64_t time_us, uint64_t span_us) {
  return time_us > span_us ? time_us - span_us : 0;
}

uint64_t sample_clock_read(struct sample_clock *c, uint64_t now_us, uint32_t count) {
  if (!c->has_end) {
    c->has_end = true;
    c->end_us = before(now_us, (uint32_t)(c->period_us / 2.0F));
    c->anchor_us = now_us;
    c->since = 0;
    return c->end_us;
  }
  c->since += count;
  const float since = (float)c->since;
  const float measured_us = float32_of_signed((int64_t)(now_us - c->anchor_us)) / fmaxf(1.0F, since);
  const float weight = since / (since + KNOWN);
  const float wanted_us = weight * measured_us + (1.0F - weight) * c->period_us;
  c->period_us = fminf(fmaxf(wanted_us, (1.0F - WIDEST) * c->nominal_us), (1.0F + WIDEST) * c->nominal_us);
  if (c->since >= SAMPLES) {
    c->anchor_us = now_us;
    c->since = 0;
  }
  const uint64_t earliest_us = before(now_us, sample_clock_span_us(c, 1));
  const uint64_t predicted_us = c->end_us + sample_clock_span_us(c, count);
  c->end_us = predicted_us < earliest_us ? earliest_us : predicted_us > now_us ? now_us : predicted_us;
  return c->end_us;
}
