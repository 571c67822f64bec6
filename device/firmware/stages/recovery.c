/* float32; times are row / (rows - 1); all sums in the order of rows, of rows that count. Operation by operation as
   thermo_core.stages.recovery, which has the formulas. */
#include "recovery.h"

#include <math.h>
#include <stddef.h>

#include "float32.h"

#define STEPS 3U
#define SLOWEST 0.05F
#define LEAST_RATIO 0.02F
#define MOST_RATIO 0.95F
#define NEAR 0.15F

/* A column of a window. */
struct curve {
  const float *values;
  uint32_t stride;
  uint32_t rows;
  uint32_t known; /* rows with a value */
  float mean;     /* of these */
  float *e;       /* the exponential at each row */
};

/* What a fit at one speed leaves. */
struct fit {
  float amplitude, mean_e, squares;
};

static float value_of(const struct curve *curve, uint32_t row) {
  return curve->values[(size_t)row * curve->stride];
}

static float time_of(const struct curve *curve, uint32_t row) {
  return (float)row / (float)(curve->rows - 1U);
}

/* The mean of some rows; how many have a value. */
static uint32_t mean_of(const struct curve *curve, uint32_t first, uint32_t end, float *mean) {
  float sum = 0.0F;
  uint32_t known = 0;
  for (uint32_t row = first; row < end; row++) {
    if (float32_is_finite(value_of(curve, row))) {
      sum += value_of(curve, row);
      known++;
    }
  }
  *mean = sum / (float)known;
  return known;
}

/* Where a curve starts from: on which side of its offset, and how far it goes. */
struct beginning {
  float offset, side, farthest;
};

static float beyond_of(const struct curve *curve, uint32_t row, const struct beginning *beginning) {
  return beginning->side * (value_of(curve, row) - beginning->offset);
}

static float farthest_of(const struct curve *curve, const struct beginning *beginning) {
  float farthest = 0.0F;
  for (uint32_t row = 0; row < curve->rows; row++) {
    if (float32_is_finite(value_of(curve, row)) && beyond_of(curve, row, beginning) > farthest) {
      farthest = beyond_of(curve, row, beginning);
    }
  }
  return farthest;
}

/* A row's share of the farthest from the offset; whether it counts. */
static bool share_of(const struct curve *curve, uint32_t row, const struct beginning *beginning, float *share) {
  *share = beyond_of(curve, row, beginning) / beginning->farthest;
  return float32_is_finite(value_of(curve, row)) && float32_is_finite(*share) && *share > NEAR;
}

static float limited(const struct curve *curve, float speed) {
  const float fastest = (float)(curve->rows - 1U);
  const float least = speed > SLOWEST ? speed : SLOWEST;
  return least < fastest ? least : fastest;
}

/* Time constants in the window to start from. */
static float start(const struct curve *curve, const float *means) {
  const float raw = (means[1] - means[2]) / (means[0] - means[1]);
  const float ratio = raw > LEAST_RATIO ? (raw < MOST_RATIO ? raw : MOST_RATIO) : LEAST_RATIO;
  const float offset = (means[2] - ratio * means[1]) / (1.0F - ratio);
  struct beginning beginning = {.offset = offset, .side = means[0] > offset ? 1.0F : -1.0F};
  beginning.farthest = farthest_of(curve, &beginning);
  float share;
  float total = 0.0F;
  float sum_u = 0.0F;
  float sum_log = 0.0F;
  for (uint32_t row = 0; row < curve->rows; row++) {
    if (share_of(curve, row, &beginning, &share)) {
      const float w = share * share;
      total += w;
      sum_u += w * time_of(curve, row);
      sum_log += w * float32_log(share);
    }
  }
  const float mean_u = sum_u / total;
  const float mean_log = sum_log / total;
  float products = 0.0F;
  float squares = 0.0F;
  for (uint32_t row = 0; row < curve->rows; row++) {
    if (share_of(curve, row, &beginning, &share)) {
      const float apart = time_of(curve, row) - mean_u;
      const float weighed = share * share * apart;
      products += weighed * (float32_log(share) - mean_log);
      squares += weighed * apart;
    }
  }
  return limited(curve, -(products / squares));
}

/* Amplitude and offset by least squares at a speed. */
static struct fit fit_at(const struct curve *curve, float speed) {
  struct fit fit;
  float sum = 0.0F;
  for (uint32_t row = 0; row < curve->rows; row++) {
    if (float32_is_finite(value_of(curve, row))) {
      curve->e[row] = float32_exp(-(speed * time_of(curve, row)));
      sum += curve->e[row];
    }
  }
  fit.mean_e = sum / (float)curve->known;
  float squares = 0.0F;
  float products = 0.0F;
  for (uint32_t row = 0; row < curve->rows; row++) {
    if (float32_is_finite(value_of(curve, row))) {
      const float apart = curve->e[row] - fit.mean_e;
      squares += apart * apart;
      products += apart * (value_of(curve, row) - curve->mean);
    }
  }
  fit.squares = squares;
  fit.amplitude = products / squares;
  return fit;
}

/* A Gauss-Newton step on the speed. */
static float faster(const struct curve *curve, const struct fit *fit, float speed) {
  float sum = 0.0F;
  for (uint32_t row = 0; row < curve->rows; row++) {
    if (float32_is_finite(value_of(curve, row))) {
      sum += curve->e[row] * time_of(curve, row);
    }
  }
  const float mean_v = sum / (float)curve->known;
  float shared = 0.0F;
  for (uint32_t row = 0; row < curve->rows; row++) {
    if (float32_is_finite(value_of(curve, row))) {
      shared += (curve->e[row] - fit->mean_e) * (curve->e[row] * time_of(curve, row) - mean_v);
    }
  }
  const float share = shared / fit->squares;
  float products = 0.0F;
  float squares = 0.0F;
  for (uint32_t row = 0; row < curve->rows; row++) {
    if (float32_is_finite(value_of(curve, row))) {
      const float apart_e = curve->e[row] - fit->mean_e;
      const float across = curve->e[row] * time_of(curve, row) - mean_v - share * apart_e;
      products += across * (value_of(curve, row) - curve->mean - fit->amplitude * apart_e);
      squares += across * across;
    }
  }
  const float step = -(products / squares) / fit->amplitude;
  if (!float32_is_finite(step)) {
    return speed + 0.0F;
  }
  const float least = -(0.5F * speed);
  return speed + (step < least ? least : step > speed ? speed : step);
}

static float residual_of(const struct curve *curve, const struct fit *fit) {
  float sum = 0.0F;
  for (uint32_t row = 0; row < curve->rows; row++) {
    if (float32_is_finite(value_of(curve, row))) {
      const float left = value_of(curve, row) - curve->mean - fit->amplitude * (curve->e[row] - fit->mean_e);
      sum += left * left;
    }
  }
  return sqrtf(sum / (float)curve->known);
}

static void recover(struct curve *curve, float duration_s, float clear, float *output) {
  float means[3];
  bool usable = true;
  for (uint32_t third = 0; third < 3; third++) {
    usable &= mean_of(curve, third * curve->rows / 3U, (third + 1U) * curve->rows / 3U, &means[third]) > 0;
  }
  curve->known = mean_of(curve, 0, curve->rows, &curve->mean);
  if (!usable || 2U * curve->known < curve->rows) {
    float32_fill_nothing(output, RECOVERY_RESULTS);
    return;
  }
  float speed = start(curve, means);
  struct fit fit = fit_at(curve, speed);
  for (uint32_t step = 0; step < STEPS; step++) {
    speed = limited(curve, faster(curve, &fit, speed));
    fit = fit_at(curve, speed);
  }
  output[0] = fit.amplitude;
  output[1] = duration_s / speed;
  output[2] = curve->mean - fit.amplitude * fit.mean_e;
  output[3] = residual_of(curve, &fit);
  usable &= fit.amplitude != 0.0F;
  for (uint32_t i = 0; i < RECOVERY_RESULTS; i++) {
    usable &= float32_is_finite(output[i]);
  }
  if (clear > 0.0F) {
    usable &= fabsf(fit.amplitude) >= clear * output[3] && speed >= 1.0F;
  }
  if (!usable) {
    float32_fill_nothing(output, RECOVERY_RESULTS);
  }
}

static float duration_of(const struct work *work) {
  const struct recovery_parameters *parameters = work->call->parameters;
  const struct pace *pace = stage_pace(work, parameters->pace);
  return pace == NULL ? parameters->duration_s
                      : parameters->duration_s * (float)pace->planned_mhz / (float)pace->at_mhz;
}

static uint16_t apply(const struct work *work) {
  const struct recovery_parameters *parameters = work->call->parameters;
  const uint32_t columns = stage_signal(work, 0)->elements / parameters->rows;
  for (uint32_t column = 0; column < columns; column++) {
    struct curve curve = {
        .values = stage_input(work, 0) + column, .stride = columns, .rows = parameters->rows, .e = stage_scratch(work)};
    recover(&curve, duration_of(work), parameters->clear, stage_output(work) + (size_t)column * RECOVERY_RESULTS);
  }
  return 0;
}

const struct stage recovery_stage = {.name = "recovery", .kind = STAGE_ELEMENTWISE, .apply = apply};
