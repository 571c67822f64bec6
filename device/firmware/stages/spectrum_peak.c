/* float32; Goertzel's recursion s = (x + c s1) - s2 on tapered numbers less their mean; power
   (s1 s1 + s2 s2) - (c s1) s2; axes of motion summed in their order; the first of equal peaks. */
#include "spectrum_peak.h"

#include <stddef.h>

#include "float32.h"
#include "quality.h"

#define BARRED (QUALITY_DOUBTFUL & ~QUALITY_MOVING)

enum { PULSE, MOTION };

/* Take one column of a window less its mean, tapered, 0 where there is no value; how many values there are. */
static uint32_t taper(const struct spectrum_peak_parameters *parameters, const float *column, uint32_t stride,
                      float *tapered) {
  float sum = 0.0F;
  uint32_t known = 0;
  for (uint32_t row = 0; row < parameters->rows; row++) {
    const float x = column[(size_t)row * stride];
    if (float32_is_finite(x)) {
      sum += x;
      known++;
    }
  }
  const float mean = sum / (float)known;
  for (uint32_t row = 0; row < parameters->rows; row++) {
    const float x = column[(size_t)row * stride];
    tapered[row] = float32_is_finite(x) ? (x - mean) * parameters->taper[row] : 0.0F;
  }
  return known;
}

static float power_of(const float *tapered, uint32_t rows, float cosine) {
  float newest = 0.0F;
  float before = 0.0F;
  for (uint32_t row = 0; row < rows; row++) {
    const float next = tapered[row] + cosine * newest - before;
    before = newest;
    newest = next;
  }
  return newest * newest + before * before - cosine * newest * before;
}

/* Powers of the pulse, less what motion explains; whether enough of the pulse has values. */
static bool powers_of(const struct work *work, float *power) {
  const struct spectrum_peak_parameters *parameters = work->call->parameters;
  float *moved = power + parameters->count;
  float *tapered = moved + parameters->count;
  const uint32_t known = taper(parameters, stage_input(work, PULSE), 1, tapered);
  if (4U * known < 3U * parameters->rows) {
    return false;
  }
  for (uint32_t i = 0; i < parameters->count; i++) {
    power[i] = power_of(tapered, parameters->rows, parameters->cosines[i]);
    moved[i] = 0.0F;
  }
  if (work->call->input_count == 1) {
    return true;
  }
  const uint32_t axes = stage_signal(work, MOTION)->elements / parameters->rows;
  for (uint32_t axis = 0; axis < axes; axis++) {
    (void)taper(parameters, stage_input(work, MOTION) + axis, axes, tapered);
    for (uint32_t i = 0; i < parameters->count; i++) {
      moved[i] += power_of(tapered, parameters->rows, parameters->cosines[i]);
    }
  }
  for (uint32_t i = 0; i < parameters->count; i++) {
    power[i] /= 1.0F + (float32_is_finite(moved[i]) ? moved[i] : 0.0F) * parameters->motion_factor;
  }
  return true;
}

/* The place of the highest power, each the less the farther it is from the last rate. */
static uint32_t peak_of(const struct spectrum_peak_parameters *parameters, const struct spectrum_peak_state *state,
                        const float *power) {
  uint32_t peak = 0;
  float highest = 0.0F;
  for (uint32_t i = 0; i < parameters->count; i++) {
    float weighed = power[i];
    if (state->tracking) {
      const float apart = (parameters->rates[i] - state->last) * parameters->narrowness;
      weighed /= 1.0F + apart * apart;
    }
    if (i == 0 || weighed > highest) {
      highest = weighed;
      peak = i;
    }
  }
  return peak;
}

/* The rate at the top of a parabola through a peak and its neighbours. */
static float between(const struct spectrum_peak_parameters *parameters, const float *power, uint32_t peak) {
  const float rate = parameters->rates[peak];
  if (peak == 0 || peak + 1U == parameters->count) {
    return rate;
  }
  const float lower = power[peak - 1U];
  const float upper = power[peak + 1U];
  const float bend = lower - 2.0F * power[peak] + upper;
  if (!(bend < 0.0F)) {
    return rate;
  }
  const float aside = 0.5F * (lower - upper) / bend;
  return rate + (aside < -0.5F ? -0.5F : aside > 0.5F ? 0.5F : aside) * parameters->step;
}

static float quality_of(const struct spectrum_peak_parameters *parameters, const float *power, uint32_t peak,
                        float total) {
  const uint32_t first = peak > parameters->lobe ? peak - parameters->lobe : 0;
  const uint32_t end = peak + parameters->lobe + 1U;
  return float32_total(power + first, (end < parameters->count ? end : parameters->count) - first, 1) / total;
}

static uint16_t nothing(struct spectrum_peak_state *state, float *output, float quality) {
  output[0] = float32_nothing();
  output[1] = quality;
  if (state->without < SPECTRUM_PEAK_FORGOTTEN) {
    state->without++;
  }
  if (state->without == SPECTRUM_PEAK_FORGOTTEN) {
    state->tracking = false;
  }
  return 0;
}

static uint16_t go_on(const struct work *work) {
  const struct spectrum_peak_parameters *parameters = work->call->parameters;
  struct spectrum_peak_state *state = work->call->state;
  float *output = stage_output(work);
  float *power = stage_scratch(work);
  uint16_t flags = 0;
  for (uint32_t i = 0; i < work->call->input_count; i++) {
    flags |= stage_sample(work, i)->flags;
  }
  if ((flags & BARRED) != 0 || !powers_of(work, power)) {
    return nothing(state, output, 0.0F);
  }
  const float total = float32_total(power, parameters->count, 1);
  if (!float32_is_finite(total) || !(total > 0.0F)) {
    return nothing(state, output, 0.0F);
  }
  const uint32_t peak = peak_of(parameters, state, power);
  const float quality = quality_of(parameters, power, peak, total);
  if (!(quality >= parameters->least_quality)) {
    return nothing(state, output, quality);
  }
  *state = (struct spectrum_peak_state){.last = parameters->rates[peak], .tracking = true};
  output[0] = between(parameters, power, peak);
  output[1] = quality;
  return 0;
}

static void reset(const struct work *work) {
  struct spectrum_peak_state *state = work->call->state;
  *state = (struct spectrum_peak_state){0};
}

const struct stage spectrum_peak_stage = {
    .name = "spectrum_peak", .kind = STAGE_RECURSIVE, .go_on = go_on, .reset = reset};
