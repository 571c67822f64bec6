/* The Kalman filter behind the page schedule. Its states are the end of the last capture and the period; a look that
   does not yet see a page and the first that does bracket the end, a measurement with a uniform error. */
#include "page_schedule.h"

#include <math.h>

#include "float32.h"

/* Closest polls: about what one takes on a 1 MHz bus. */
#define FLOOR_US 60.0F
/* Standard deviation of an unknown sensor's period, and how much it may change from page to page, as parts of it. */
#define OSCILLATOR 0.05F
#define DRIFT 1e-5F
#define JITTER_US 5.0F
/* Polling starts this many standard deviations before the prediction. */
#define SIGMAS 2.5F
/* With a prediction that is wrong by this part of the period, tracking starts anew. */
#define LOST 0.25F
/* Datasheet: wait this long plus one period after power-on. */
#define POWER_ON_US 80000.0F

static float square(float x) {
  return x * x;
}

static float difference(uint64_t later, uint64_t earlier) {
  return later >= earlier ? float32_of_unsigned(later - earlier) : -float32_of_unsigned(earlier - later);
}

static uint64_t moved(uint64_t time_us, float by_us) {
  const int64_t sum = (int64_t)time_us + (int32_t)(by_us < 0.0F ? by_us - 0.5F : by_us + 0.5F);
  return sum > 0 ? (uint64_t)sum : 0;
}

static void forget_period(struct page_schedule *s) {
  s->period_us = s->nominal_us;
  s->period_variance = square(OSCILLATOR * s->nominal_us);
  s->end_variance = 0.0F;
  s->covariance = 0.0F;
}

void page_schedule_restart(struct page_schedule *s, uint64_t now_us, float period_us, float first_us) {
  s->nominal_us = period_us;
  s->has_end = false;
  s->end_us = 0;
  s->poll_us = now_us;
  s->timeout_us = moved(now_us, POWER_ON_US + 1.5F * first_us + period_us);
  s->unseen_us = now_us;
  s->seen_us = 0;
  forget_period(s);
  s->lead_us = 0.0F;
  s->pause_us = period_us / 8.0F;
}

float page_schedule_pages_since(const struct page_schedule *s, uint64_t now_us) {
  return s->has_end ? difference(now_us, s->end_us) / s->period_us : 1.0F;
}

void page_schedule_unseen(struct page_schedule *s, uint64_t now_us) {
  s->unseen_us = now_us;
  const uint64_t next_us = moved(now_us, s->pause_us);
  s->poll_us = next_us > s->poll_us ? next_us : s->poll_us;
  if (!s->has_end || difference(now_us, s->end_us) > s->period_us + s->lead_us) {
    s->pause_us = fminf(2.0F * s->pause_us, s->nominal_us / 8.0F);
  }
}

void page_schedule_seen(struct page_schedule *s, uint64_t now_us) {
  s->seen_us = now_us;
}

/* The end of the first capture, or of one after which tracking starts anew. */
static uint64_t begin(struct page_schedule *s, uint64_t now_us) {
  const float bracket_us = fminf(difference(now_us, s->unseen_us), s->nominal_us / 4.0F);
  forget_period(s);
  s->end_variance = square(bracket_us) / 12.0F;
  return moved(now_us, -bracket_us / 2.0F);
}

/* One step of the filter; the end of the capture. */
static uint64_t track(struct page_schedule *s, uint32_t pages, uint64_t seen_us) {
  const float n = (float)pages;
  const float step_us = n * s->period_us; /* expected end, after the last one */
  s->end_variance += n * (2.0F * s->covariance + n * s->period_variance + square(JITTER_US));
  s->covariance += n * s->period_variance;
  s->period_variance += n * square(DRIFT * s->nominal_us);
  const float upper = difference(seen_us, s->end_us);
  float lower = difference(s->unseen_us, s->end_us);
  if (pages > 1 || upper - lower > s->period_us / 2.0F) {
    /* Nobody looked shortly before: all that is known is that the page came by now. */
    if (step_us <= upper) {
      return moved(s->end_us, step_us);
    }
    lower = upper - 2.0F * sqrtf(s->end_variance);
  }
  if (!(lower - LOST * s->period_us < step_us && step_us < upper + LOST * s->period_us)) {
    return begin(s, seen_us);
  }
  const float gain = s->end_variance / (s->end_variance + square(upper - lower) / 12.0F);
  const float period_gain = s->covariance * gain / s->end_variance;
  const float residual = (lower + upper) / 2.0F - step_us;
  s->period_us += period_gain * residual;
  s->period_variance -= period_gain * s->covariance;
  s->covariance *= 1.0F - gain;
  s->end_variance *= 1.0F - gain;
  return moved(s->end_us, fminf(fmaxf(step_us + gain * residual, lower), upper));
}

/* The page shown is the latest one, so a count of the wrong parity is off by one to the nearer side. */
static uint32_t of_parity(uint32_t pages, float periods, bool odd) {
  if ((pages % 2U == 1U) == odd) {
    return pages;
  }
  return periods - (float)pages < 0.5F && pages > 1 ? pages - 1 : pages + 1;
}

static uint32_t arrived(struct page_schedule *s, uint64_t now_us, bool numbered, bool odd) {
  uint32_t pages = 1;
  if (!s->has_end) {
    s->end_us = begin(s, now_us);
    s->has_end = true;
  } else {
    const float periods = (difference(now_us, s->end_us) + s->lead_us) / s->period_us;
    pages = periods < 1.0F ? 1U : periods > 1e6F ? 1000000U : (uint32_t)periods;
    pages = numbered ? of_parity(pages, periods, odd) : pages;
    s->end_us = track(s, pages, s->seen_us != 0 && pages == 1 ? s->seen_us : now_us);
  }
  s->unseen_us = now_us;
  s->seen_us = 0;
  const float sigma_us = sqrtf(s->end_variance + 2.0F * s->covariance + s->period_variance);
  s->lead_us = fminf(fmaxf(FLOOR_US / 2.0F, SIGMAS * sigma_us), s->period_us / 4.0F);
  s->pause_us = fmaxf(FLOOR_US, s->lead_us / 2.0F);
  s->poll_us = moved(s->end_us, s->period_us - s->lead_us);
  s->timeout_us = moved(s->end_us, 2.5F * s->period_us + POWER_ON_US / 4.0F);
  return pages;
}

uint32_t page_schedule_arrived(struct page_schedule *s, uint64_t now_us, bool odd) {
  return arrived(s, now_us, true, odd);
}

uint32_t page_schedule_came(struct page_schedule *s, uint64_t now_us) {
  return arrived(s, now_us, false, false);
}
