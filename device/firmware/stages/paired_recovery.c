/* float32; sums in the order of bins, nodes of the first side before those of the second, and parameters. Operation by
   operation as thermo_core.stages.paired_recovery, which has the method. */
#include "paired_recovery.h"

#include <math.h>

#include "float32.h"

#define STEPS 10U
#define SHARED PAIRED_RECOVERY_SHARED
#define MOST PAIRED_RECOVERY_PARAMETERS
#define LEAST_SHARE 0.15F
#define SPARE_SHARE 0.7F
#define FIRST_DAMPING 0.1F
#define LESS 0.25F
#define MORE 5.0F
#define MOST_MOVE 1.0F
#define LEAST_PIVOT 1e-6F

enum parameter { LOG_FAST, LOG_SLOW, SHARE, DELAY, RATIO, SIZE };

/* A fit at some parameters: its cost, of which `squares` is what is left; downhill, and a lower triangle of half the
   second derivatives. */
struct fit {
  float at[MOST];
  float slope[MOST];
  float *curvature;
  float cost;
  float squares;
};

/* Curves made white, and room. */
struct bench {
  const struct paired_recovery_parameters *parameters;
  const bool *seen;
  const float *curves;
  float *raw;     /* derivatives by the shared parameters as they come */
  float *columns; /* the same made white */
  float *lower;
  uint32_t size; /* parameters */
};

struct logistic {
  float value, slope;
};

static struct logistic logistic_of(float x) {
  const float share = 1.0F / (1.0F + float32_exp(-x));
  return (struct logistic){.value = share, .slope = share * (1.0F - share)};
}

static void whiten(const struct paired_recovery_parameters *parameters, const float *x, float *found) {
  const float *row = parameters->white;
  for (uint32_t bin = 0; bin < parameters->bins; bin++) {
    found[bin] = float32_product(row, x, bin + 1U, 1);
    row += bin + 1U;
  }
}

/* What one exponential of a side adds to the derivatives. */
static void add_part(const struct bench *bench, const float *at, enum parameter place, float half, float of, float by) {
  const struct paired_recovery_parameters *parameters = bench->parameters;
  const uint32_t bins = parameters->bins;
  const struct logistic waited = logistic_of(at[DELAY]);
  const float delay = parameters->delay_s * waited.value;
  const float by_delay = parameters->delay_s * waited.slope;
  const float rate = 1.0F / float32_exp(at[place] + half * at[RATIO]);
  const float sooner = of * rate * by_delay;
  for (uint32_t bin = 0; bin < bins; bin++) {
    float shape = 0.0F;
    float by_log = 0.0F;
    for (uint32_t point = 0; point < 2; point++) {
      const float past = rate * (parameters->points[point * bins + bin] + delay);
      const float decay = float32_exp(-past);
      shape += decay;
      by_log += decay * past;
    }
    shape *= parameters->halves[bin];
    bench->raw[place * bins + bin] = of * (by_log * parameters->halves[bin]);
    bench->raw[SHARE * bins + bin] += by * shape;
    bench->raw[DELAY * bins + bin] -= sooner * shape;
    bench->raw[SIZE * bins + bin] += of * shape;
  }
}

/* Derivatives of a side's curve of amplitude 1 by the shared parameters, the last of which is the curve; white. */
static void make_columns(const struct bench *bench, const float *at, uint32_t side) {
  const uint32_t bins = bench->parameters->bins;
  const float half = side != 0 ? 0.5F : -0.5F;
  for (uint32_t i = 0; i < SHARED * bins; i++) {
    bench->raw[i] = 0.0F;
  }
  const struct logistic part = logistic_of(at[SHARE]);
  const float share = LEAST_SHARE + SPARE_SHARE * part.value;
  const float by_share = SPARE_SHARE * part.slope;
  add_part(bench, at, LOG_FAST, half, share, by_share);
  add_part(bench, at, LOG_SLOW, half, 1.0F - share, -by_share);
  for (uint32_t bin = 0; bin < bins; bin++) {
    bench->raw[RATIO * bins + bin] = half * (bench->raw[LOG_FAST * bins + bin] + bench->raw[LOG_SLOW * bins + bin]);
  }
  for (uint32_t i = 0; i < SHARED; i++) {
    whiten(bench->parameters, bench->raw + (size_t)i * bins, bench->columns + (size_t)i * bins);
  }
}

/* What a node adds to a fit; `shared` are products of the columns. */
static void add_node(const struct bench *bench, struct fit *fit, uint32_t node, float shared[SHARED][SHARED]) {
  const struct paired_recovery_parameters *parameters = bench->parameters;
  const uint32_t bins = parameters->bins;
  const uint32_t own = SHARED + node;
  const float *curve = bench->curves + (size_t)node * bins;
  const float *shape = bench->columns + (size_t)SIZE * bins;
  float *left = bench->raw;
  const float amplitude =
      bench->seen[node] ? float32_exp(fit->at[SIZE] + (parameters->logs[node] + fit->at[own])) : 0.0F;
  for (uint32_t bin = 0; bin < bins; bin++) {
    left[bin] = curve[bin] - amplitude * shape[bin];
  }
  fit->squares += float32_product(left, left, bins, 1);
  const float squared = amplitude * amplitude;
  float downhill = 0.0F;
  for (uint32_t i = 0; i < SHARED; i++) {
    downhill = amplitude * float32_product(bench->columns + (size_t)i * bins, left, bins, 1);
    fit->slope[i] += downhill;
    for (uint32_t j = 0; j <= i; j++) {
      fit->curvature[i * bench->size + j] += squared * shared[i][j];
    }
    fit->curvature[own * bench->size + i] += squared * shared[SIZE][i];
  }
  fit->slope[own] += downhill;
  fit->curvature[own * bench->size + own] += squared * shared[SIZE][SIZE];
}

/* Everything of a fit at its parameters. */
static void evaluate(const struct bench *bench, struct fit *fit) {
  const struct paired_recovery_parameters *parameters = bench->parameters;
  const uint32_t bins = parameters->bins;
  const uint32_t size = bench->size;
  for (uint32_t i = 0; i < size * size; i++) {
    fit->curvature[i] = 0.0F;
  }
  float believed = 0.0F;
  for (uint32_t i = 0; i < size; i++) {
    const float away = fit->at[i] - parameters->usual[i];
    believed += away * away * parameters->tight[i];
    fit->slope[i] = -(away * parameters->tight[i]);
    fit->curvature[i * size + i] = parameters->tight[i];
  }
  fit->squares = 0.0F;
  for (uint32_t side = 0; side < 2; side++) {
    make_columns(bench, fit->at, side);
    float shared[SHARED][SHARED];
    for (uint32_t i = 0; i < SHARED; i++) {
      for (uint32_t j = 0; j < SHARED; j++) {
        const uint32_t later = i > j ? i : j;
        const uint32_t sooner = i > j ? j : i;
        shared[i][j] =
            float32_product(bench->columns + (size_t)later * bins, bench->columns + (size_t)sooner * bins, bins, 1);
      }
    }
    for (uint32_t node = side; node < parameters->nodes; node += 2U) {
      add_node(bench, fit, node, shared);
    }
  }
  fit->cost = believed + fit->squares;
}

/* Lower triangle of Cholesky, of what is damped on its diagonal. */
static void make_triangle(const struct bench *bench, const float *curvature, float damping) {
  const uint32_t size = bench->size;
  for (uint32_t i = 0; i < size; i++) {
    float *row = bench->lower + (size_t)i * size;
    for (uint32_t j = 0; j < i; j++) {
      const float *other = bench->lower + (size_t)j * size;
      float rest = curvature[i * size + j];
      for (uint32_t k = 0; k < j; k++) {
        rest -= row[k] * other[k];
      }
      row[j] = rest / other[j];
    }
    const float whole = curvature[i * size + i];
    const float least = LEAST_PIVOT * whole;
    float rest = whole + damping * whole;
    for (uint32_t k = 0; k < i; k++) {
      rest -= row[k] * row[k];
    }
    row[i] = sqrtf(rest > least ? rest : least);
  }
}

static void solve_forward(const struct bench *bench, const float *right, float *found) {
  for (uint32_t i = 0; i < bench->size; i++) {
    const float *row = bench->lower + (size_t)i * bench->size;
    float rest = right[i];
    for (uint32_t k = 0; k < i; k++) {
      rest -= row[k] * found[k];
    }
    found[i] = rest / row[i];
  }
}

static void solve_backward(const struct bench *bench, const float *right, float *found) {
  const uint32_t size = bench->size;
  for (uint32_t back = 0; back < size; back++) {
    const uint32_t i = size - 1U - back;
    float rest = right[i];
    for (uint32_t k = i + 1U; k < size; k++) {
      rest -= bench->lower[k * size + i] * found[k];
    }
    found[i] = rest / bench->lower[i * size + i];
  }
}

static float clipped(float value) {
  return value < -MOST_MOVE ? -MOST_MOVE : value > MOST_MOVE ? MOST_MOVE : value;
}

/* The fit that damped Gauss-Newton steps end at; `other` is room for a second one. */
static void descend(const struct bench *bench, struct fit *fit, struct fit *other) {
  float damping = FIRST_DAMPING;
  evaluate(bench, fit);
  for (uint32_t step = 0; step < STEPS; step++) {
    float half[MOST];
    float move[MOST];
    make_triangle(bench, fit->curvature, damping);
    solve_forward(bench, fit->slope, half);
    solve_backward(bench, half, move);
    for (uint32_t i = 0; i < bench->size; i++) {
      other->at[i] = fit->at[i] + clipped(move[i]);
    }
    evaluate(bench, other);
    if (other->cost < fit->cost) {
      const struct fit better = *other;
      *other = *fit;
      *fit = better;
      damping = damping * LESS;
    } else {
      damping = damping * MORE;
    }
  }
}

/* Write white curves, all rising or falling alike; which nodes have one. Gives how many. */
static uint32_t begin(const struct work *work, float *room, float *curves, bool *seen) {
  const struct paired_recovery_parameters *parameters = work->call->parameters;
  const uint32_t bins = parameters->bins;
  const float *given = stage_input(work, 0);
  const float *before = stage_input(work, 1);
  uint32_t count = 0;
  float early = 0.0F;
  for (uint32_t node = 0; node < parameters->nodes; node++) {
    const float *curve = given + (size_t)node * bins;
    float *change = curves + (size_t)node * bins;
    seen[node] = float32_is_finite(before[node]);
    for (uint32_t bin = 0; bin < bins; bin++) {
      seen[node] &= float32_is_finite(curve[bin]);
    }
    for (uint32_t bin = 0; bin < bins; bin++) {
      change[bin] = seen[node] ? curve[bin] - before[node] * parameters->levels[bin] : 0.0F;
    }
    early += parameters->shares[node] * float32_total(change, bins / 2U, 1);
    count += seen[node] ? 1U : 0U;
  }
  for (uint32_t node = 0; node < parameters->nodes; node++) {
    float *change = curves + (size_t)node * bins;
    for (uint32_t bin = 0; bin < bins; bin++) {
      room[bin] = early < 0.0F ? -change[bin] : change[bin];
    }
    whiten(parameters, room, change);
  }
  return count;
}

static uint16_t apply(const struct work *work) {
  const struct paired_recovery_parameters *parameters = work->call->parameters;
  const uint32_t bins = parameters->bins;
  const uint32_t size = SHARED + parameters->nodes;
  float *output = stage_output(work);
  float *curves = stage_scratch(work);
  bool seen[PAIRED_RECOVERY_MOST_NODES] = {false};
  struct bench bench = {.parameters = parameters, .seen = seen, .curves = curves, .size = size};
  bench.raw = curves + (size_t)parameters->nodes * bins;
  bench.columns = bench.raw + (size_t)SHARED * bins;
  bench.lower = bench.columns + (size_t)SHARED * bins;
  struct fit fit = {.curvature = bench.lower + (size_t)size * size};
  struct fit other = {.curvature = fit.curvature + (size_t)size * size};
  const uint32_t count = begin(work, bench.raw, curves, seen);
  bool sides[2] = {false, false};
  for (uint32_t node = 0; node < parameters->nodes; node++) {
    sides[node % 2U] |= seen[node];
  }
  float32_fill_nothing(output, PAIRED_RECOVERY_RESULTS);
  if (!sides[0] || !sides[1]) {
    return 0;
  }
  for (uint32_t i = 0; i < size; i++) {
    fit.at[i] = parameters->usual[i];
  }
  descend(&bench, &fit, &other);
  float unit[MOST] = {0};
  float spread[MOST];
  unit[RATIO] = 1.0F;
  make_triangle(&bench, fit.curvature, 0.0F);
  solve_forward(&bench, unit, spread);
  const float found[PAIRED_RECOVERY_RESULTS] = {
      fit.at[RATIO] + 0.0F,
      sqrtf(float32_product(spread, spread, size, 1)),
      float32_exp(fit.at[SIZE]),
      sqrtf(fit.squares / (float)(count * bins)),
  };
  bool usable = true;
  for (uint32_t i = 0; i < PAIRED_RECOVERY_RESULTS; i++) {
    usable &= float32_is_finite(found[i]);
  }
  for (uint32_t i = 0; usable && i < PAIRED_RECOVERY_RESULTS; i++) {
    output[i] = found[i];
  }
  return 0;
}

const struct stage paired_recovery_stage = {.name = "paired_recovery", .kind = STAGE_ELEMENTWISE, .apply = apply};
