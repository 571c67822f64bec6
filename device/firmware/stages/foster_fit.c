/* float32; sums in the order of samples, bins and parameters. Operation by operation as thermo_core.stages.foster_fit,
   which has the sources of the method. */
#include "foster_fit.h"

#include <math.h>
#include <stddef.h>

#include "board.h"
#include "float32.h"
#include "quality.h"

#define STEPS 14U
#define FLOOR 2e-5F
#define PENALTY 4.0F
#define LEAST_SHARE 0.03F
#define LEAST_LOG_RATIO 0.69314718F
#define CLEAR 16.0F
#define ALIKE 0.5F
#define ALIKE_FROM 0.002F
#define GO_TOGETHER 0.05F
#define ALTERNATE (-0.35F)
#define BY_TOGETHER 4.0F
#define BY_ALTERNATE 1.5F
#define BEYOND 1000.0F
#define NOISY 0.007F
#define ALMOST_WHOLE 0.03F
#define NEAR 2.0F
#define NINE_IN_TEN 1.9F
#define LEAST_NOISE 2e-4F
#define FIRST_DAMPING 0.01F
#define LESS 0.2F
#define MORE 5.0F
#define MOST_MOVE 0.7F

/* A fit: logarithms of time constants, then amplitudes, offset and drift. */
struct fit {
  float logs[FOSTER_FIT_PARTS];
  float linear[FOSTER_FIT_PARTS + FOSTER_FIT_STRAYS];
  float squares; /* of residuals */
  float cost;    /* with what strays weigh */
};

/* A curve, and room: `columns` are derivatives by each parameter, `rows` apart; below the bins strays, then damping. */
struct bench {
  const struct foster_fit_parameters *parameters;
  const struct board *board; /* NULL: none */
  const float *y;
  float *columns;
  float *target;
  float *left; /* residuals */
  uint32_t rows;
  uint32_t parts;
  uint32_t strays;
  float upper[FOSTER_FIT_PARAMETERS][FOSTER_FIT_PARAMETERS];
  float onto[FOSTER_FIT_PARAMETERS];
};

static uint32_t size_of(const struct bench *bench) {
  return 2U * bench->parts + bench->strays;
}

static float *column_of(const struct bench *bench, uint32_t place) {
  return bench->columns + (size_t)place * bench->rows;
}

static float clipped(float value, float low, float high) {
  return value < low ? low : value > high ? high : value;
}

/* What an exponential, and its derivative by the logarithm of its time constant, put into bins. */
static void put_exponential(const struct bench *bench, float log, float amplitude, float *by_log, float *shape) {
  const struct foster_fit_parameters *parameters = bench->parameters;
  const float rate = 1.0F / float32_exp(log);
  for (uint32_t bin = 0; bin < parameters->bins; bin++) {
    float sum = 0.0F;
    float sum_by_log = 0.0F;
    for (uint32_t i = parameters->edges[bin]; i < parameters->edges[bin + 1U]; i++) {
      const float past = rate * ((float)i * parameters->period_s);
      const float decay = float32_exp(-past);
      sum += decay;
      sum_by_log += decay * past;
    }
    shape[bin] = sum * parameters->weights[bin];
    by_log[bin] = amplitude * (sum_by_log * parameters->weights[bin]);
  }
}

/* Derivatives, residuals and cost of a fit. */
static void evaluate(struct bench *bench, struct fit *fit) {
  const struct foster_fit_parameters *parameters = bench->parameters;
  const uint32_t bins = parameters->bins;
  const uint32_t size = size_of(bench);
  for (uint32_t place = 0; place < size; place++) {
    float *column = column_of(bench, place);
    for (uint32_t row = bins; row < bench->rows; row++) {
      column[row] = 0.0F;
    }
  }
  for (uint32_t part = 0; part < bench->parts; part++) {
    put_exponential(bench, fit->logs[part], fit->linear[part], column_of(bench, part),
                    column_of(bench, bench->parts + part));
  }
  for (uint32_t stray = 0; stray < bench->strays; stray++) {
    float *column = column_of(bench, 2U * bench->parts + stray);
    const float *shape = stray == 0 ? parameters->level : parameters->drift;
    for (uint32_t bin = 0; bin < bins; bin++) {
      column[bin] = shape[bin];
    }
    column[bins + stray] = parameters->stiff;
  }
  fit->squares = 0.0F;
  for (uint32_t bin = 0; bin < bins; bin++) {
    float left = bench->y[bin];
    for (uint32_t place = 0; place < bench->parts + bench->strays; place++) {
      left -= fit->linear[place] * column_of(bench, bench->parts + place)[bin];
    }
    bench->left[bin] = left;
    fit->squares += left * left;
  }
  fit->cost = fit->squares;
  for (uint32_t stray = 0; stray < bench->strays; stray++) {
    const float held = parameters->stiff * fit->linear[bench->parts + stray];
    fit->cost += held * held;
  }
}

/* Columns become orthonormal (modified Gram-Schmidt); `upper` and `onto` hold what they were made of. */
static void orthogonalise(struct bench *bench, uint32_t rows) {
  const uint32_t size = size_of(bench);
  for (uint32_t place = 0; place < size; place++) {
    float *column = column_of(bench, place);
    const float length = sqrtf(float32_product(column, column, rows, 1));
    bench->upper[place][place] = length;
    for (uint32_t row = 0; row < rows; row++) {
      column[row] = column[row] / length;
    }
    for (uint32_t later = place + 1U; later < size; later++) {
      float *other = column_of(bench, later);
      const float shared = float32_product(column, other, rows, 1);
      bench->upper[place][later] = shared;
      for (uint32_t row = 0; row < rows; row++) {
        other[row] -= shared * column[row];
      }
    }
    const float shared = float32_product(column, bench->target, rows, 1);
    bench->onto[place] = shared;
    for (uint32_t row = 0; row < rows; row++) {
      bench->target[row] -= shared * column[row];
    }
  }
}

static void solve(const struct bench *bench, const float *onto, float *found) {
  const uint32_t size = size_of(bench);
  for (uint32_t back = 0; back < size; back++) {
    const uint32_t place = size - 1U - back;
    float rest = onto[place];
    for (uint32_t later = place + 1U; later < size; later++) {
      rest -= bench->upper[place][later] * found[later];
    }
    found[place] = rest / bench->upper[place][place];
  }
}

/* The damped Gauss-Newton step from a fit that was evaluated last. */
static void step_from(struct bench *bench, const struct fit *fit, float damping, float *move) {
  const uint32_t bins = bench->parameters->bins;
  const uint32_t size = size_of(bench);
  const uint32_t own = bins + bench->strays;
  for (uint32_t bin = 0; bin < bins; bin++) {
    bench->target[bin] = bench->left[bin];
  }
  for (uint32_t stray = 0; stray < bench->strays; stray++) {
    bench->target[bins + stray] = -(bench->parameters->stiff * fit->linear[bench->parts + stray]);
  }
  for (uint32_t place = 0; place < size; place++) {
    float *column = column_of(bench, place);
    bench->target[own + place] = 0.0F;
    column[own + place] = sqrtf(damping * float32_product(column, column, own, 1));
  }
  orthogonalise(bench, own + size);
  solve(bench, bench->onto, move);
}

/* All fits together take a processor without a floating-point unit nearly as long as its watchdog waits. */
static struct fit run(struct bench *bench, const float *logs) {
  const struct foster_fit_parameters *parameters = bench->parameters;
  if (bench->board != NULL) {
    board_watchdog_feed(bench->board);
  }
  struct fit fit = {0};
  for (uint32_t part = 0; part < bench->parts; part++) {
    fit.logs[part] = clipped(logs[part], parameters->least, parameters->most);
    fit.linear[part] = bench->y[0] * parameters->weights[0] / (float)bench->parts;
  }
  float damping = FIRST_DAMPING;
  evaluate(bench, &fit);
  for (uint32_t step = 0; step < STEPS; step++) {
    float move[FOSTER_FIT_PARAMETERS];
    struct fit other = {0};
    step_from(bench, &fit, damping, move);
    for (uint32_t part = 0; part < bench->parts; part++) {
      const float log = fit.logs[part] + clipped(move[part], -MOST_MOVE, MOST_MOVE);
      other.logs[part] = clipped(log, parameters->least, parameters->most);
    }
    for (uint32_t place = 0; place < bench->parts + bench->strays; place++) {
      other.linear[place] = fit.linear[place] + move[bench->parts + place];
    }
    evaluate(bench, &other);
    if (other.cost < fit.cost) {
      fit = other;
      damping = damping * LESS;
    } else {
      damping = damping * MORE;
      evaluate(bench, &fit);
    }
  }
  return fit;
}

/* The best fit from all starting points. */
static struct fit best_fit(struct bench *bench, const float *begun) {
  const uint32_t parts = bench->parts;
  struct fit fit = run(bench, bench->parameters->starts + parts * (parts - 1U) / 2U);
  if (begun[0] == (float)parts) {
    float logs[FOSTER_FIT_PARTS];
    for (uint32_t part = 0; part < parts; part++) {
      logs[part] = float32_log(begun[1U + part]);
      if (!float32_is_finite(logs[part])) {
        logs[part] = 0.0F;
      }
    }
    const struct fit other = run(bench, logs);
    if (other.cost < fit.cost) {
      fit = other;
    }
  }
  return fit;
}

/* Places of parts by ascending time constants; equal ones stay in their order. */
static void sort(const struct fit *fit, uint32_t parts, uint32_t *order) {
  for (uint32_t i = 0; i < parts; i++) {
    uint32_t at = i;
    for (; at > 0 && fit->logs[order[at - 1U]] > fit->logs[i]; at--) {
      order[at] = order[at - 1U];
    }
    order[at] = i;
  }
}

/* Standard deviations of the logarithms for noise of 1, of the fit that was evaluated last. */
static void spread_of(struct bench *bench, float *spreads) {
  const uint32_t own = bench->parameters->bins + bench->strays;
  for (uint32_t row = 0; row < own; row++) {
    bench->target[row] = 0.0F;
  }
  orthogonalise(bench, own);
  float squares[FOSTER_FIT_PARTS] = {0};
  for (uint32_t column = 0; column < size_of(bench); column++) {
    float unit[FOSTER_FIT_PARAMETERS] = {0};
    float inverse[FOSTER_FIT_PARAMETERS];
    unit[column] = 1.0F;
    solve(bench, unit, inverse);
    for (uint32_t part = 0; part < bench->parts; part++) {
      squares[part] += inverse[part] * inverse[part];
    }
  }
  for (uint32_t part = 0; part < bench->parts; part++) {
    spreads[part] = sqrtf(squares[part]);
  }
}

/* What intervals are multiplied by, from the correlation of neighbouring residuals. */
static float wider(float alike, float noise) {
  const float together = alike > GO_TOGETHER ? alike - GO_TOGETHER : 0.0F;
  const float alternating = alike < ALTERNATE ? ALTERNATE - alike : 0.0F;
  const float factor = 1.0F + BY_TOGETHER * together + BY_ALTERNATE * alternating;
  return noise > LEAST_NOISE ? factor : 1.0F;
}

/* Where a fit scores better than the best before: what is said with it, 0 parts where the curve is none. */
static void tell(struct bench *bench, struct fit *fit, const float *begun, float *best, float *output) {
  const struct foster_fit_parameters *parameters = bench->parameters;
  const uint32_t bins = parameters->bins;
  const uint32_t parts = bench->parts;
  uint32_t order[FOSTER_FIT_PARTS];
  evaluate(bench, fit);
  sort(fit, parts, order);
  float whole = 0.0F;
  for (uint32_t i = 0; i < parts; i++) {
    whole += fit->linear[order[i]];
  }
  bool real = whole > 0.0F;
  bool apart = true;
  for (uint32_t i = 0; i < parts; i++) {
    real &= fit->linear[order[i]] >= LEAST_SHARE * whole;
    apart &= i == 0 || fit->logs[order[i]] - fit->logs[order[i - 1U]] >= LEAST_LOG_RATIO;
  }
  bool within = fit->logs[order[0]] > parameters->least && fit->logs[order[parts - 1U]] < parameters->most;
  for (uint32_t stray = 0; stray < bench->strays; stray++) {
    within &= fabsf(fit->linear[parts + stray]) <= parameters->far;
  }
  float score = (float)bins * float32_log(fit->squares + FLOOR) + PENALTY * (float)(2U * parts + bench->strays);
  score = within ? score : score + BEYOND;
  if (!float32_is_finite(score) || !((apart && real) || parts == 1U) || !(score < *best)) {
    return;
  }
  *best = score;
  const float noise = sqrtf(fit->squares / (float)(bins - 2U * parts));
  const float together = float32_product(bench->left + 1, bench->left, bins - 1U, 1);
  bool is_one = real && within && whole >= CLEAR * noise;
  is_one &= !(together > ALIKE * fit->squares && noise > ALIKE_FROM);
  float32_fill_nothing(output, 1U + 3U * FOSTER_FIT_PARTS);
  if (!is_one) {
    output[0] = 0.0F;
    return;
  }
  float spreads[FOSTER_FIT_PARTS];
  spread_of(bench, spreads);
  const float half = NINE_IN_TEN * (noise > LEAST_NOISE ? noise : LEAST_NOISE);
  output[0] = (float)parts;
  for (uint32_t i = 0; i < parts; i++) {
    const float tau = float32_exp(fit->logs[order[i]]);
    output[1U + i] = tau;
    output[1U + FOSTER_FIT_PARTS + i] = fit->linear[order[i]] / whole;
    output[1U + 2U * FOSTER_FIT_PARTS + i] = tau * (half * spreads[order[i]]);
  }
  /* Where the curve is noisy and else as a network knows it, that says more. */
  bool told = bench->strays == 0 && begun[0] == (float)parts && noise >= NOISY && fabsf(whole - 1.0F) <= ALMOST_WHOLE;
  for (uint32_t i = 0; i < parts; i++) {
    told &= fabsf(begun[1U + i] - output[1U + i]) <= NEAR * output[1U + 2U * FOSTER_FIT_PARTS + i];
  }
  const float factor = wider(together / fit->squares, noise);
  for (uint32_t i = 0; i < parts; i++) {
    output[1U + 2U * FOSTER_FIT_PARTS + i] *= factor;
  }
  for (uint32_t i = 0; told && i < parts; i++) {
    output[1U + i] = begun[1U + i];
    output[1U + FOSTER_FIT_PARTS + i] = begun[1U + FOSTER_FIT_PARTS + i];
  }
}

static uint16_t apply(const struct work *work) {
  const struct foster_fit_parameters *parameters = work->call->parameters;
  const uint32_t bins = parameters->bins;
  const uint32_t rows = bins + FOSTER_FIT_STRAYS + FOSTER_FIT_PARAMETERS;
  float *room = stage_scratch(work);
  struct bench bench = {.parameters = parameters, .board = work->board, .y = stage_input(work, 0), .rows = rows};
  bench.columns = room;
  bench.target = room + (size_t)FOSTER_FIT_PARAMETERS * rows;
  bench.left = bench.target + rows;
  float *output = stage_output(work);
  float32_fill_nothing(output, 1U + 3U * FOSTER_FIT_PARTS);
  for (uint32_t bin = 0; bin < bins; bin++) {
    if (!float32_is_finite(bench.y[bin])) {
      return 0;
    }
  }
  float best = INFINITY;
  for (bench.parts = 1; bench.parts <= FOSTER_FIT_PARTS; bench.parts++) {
    for (bench.strays = 0; bench.strays <= FOSTER_FIT_STRAYS; bench.strays += FOSTER_FIT_STRAYS) {
      struct fit fit = best_fit(&bench, stage_input(work, 1));
      tell(&bench, &fit, stage_input(work, 1), &best, output);
    }
  }
  return output[0] == 0.0F ? QUALITY_OUT_OF_DOMAIN : 0;
}

const struct stage foster_fit_stage = {.name = "foster_fit", .kind = STAGE_ELEMENTWISE, .apply = apply};
