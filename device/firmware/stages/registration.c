/* Gauss-Newton with the guide's gradients; Catmull-Rom interpolation. */
#include "registration.h"

#include <math.h>
#include <stddef.h>

#include "float32.h"

#define STEPS 10
#define SETTLED 0.01F
#define LEAST_PIXELS 16U
#define TAPS 4

struct sums {
  float n, r, c, e, rr, rc, cc, re, ce; /* of weights, and of weights times slopes down and along and what is apart */
  uint32_t count;
};

/* Where a step leads: pixels to go on, and what is apart there on the whole. */
struct step {
  float down, along, offset;
};

/* What new places along an axis rest on. */
struct taps {
  float weights[TAPS];
  int32_t whole; /* pixels */
  float shift;
  int32_t length;
};

static float bounded(float value, float most) {
  return value > most ? most : value < -most ? -most : value;
}

static struct taps taps_of(float shift, uint16_t length) {
  struct taps taps = {.shift = shift, .length = length};
  taps.whole = (int32_t)shift;
  taps.whole -= (float)taps.whole > shift ? 1 : 0;
  const float f = shift - (float)taps.whole;
  taps.weights[0] = ((2.0F - f) * f - 1.0F) * f * 0.5F;
  taps.weights[1] = ((3.0F * f - 5.0F) * f * f + 2.0F) * 0.5F;
  taps.weights[2] = ((4.0F - 3.0F * f) * f + 1.0F) * f * 0.5F;
  taps.weights[3] = (f - 1.0F) * f * f * 0.5F;
  return taps;
}

static bool reached(const struct taps *taps, int32_t place) {
  const float at = (float)place + taps->shift;
  return at >= -0.5F && at <= (float)taps->length - 0.5F;
}

/* One new number along an axis whose numbers are `stride` apart. */
static float interpolated(const struct taps *taps, const float *values, int32_t place, uint32_t stride) {
  float parts[TAPS];
  for (int32_t tap = 0; tap < TAPS; tap++) {
    int32_t at = place + taps->whole + tap - 1;
    at = at < 0 ? 0 : at >= taps->length ? taps->length - 1 : at;
    parts[tap] = values[(size_t)at * stride] * taps->weights[tap];
  }
  return ((parts[0] + parts[1]) + parts[2]) + parts[3];
}

static void warp(const struct registration *bounds, const float *picture, float down, float along, float *moved,
                 float *line) {
  const uint32_t columns = bounds->columns;
  struct taps taps = taps_of(along, bounds->columns);
  for (int32_t column = 0; column < (int32_t)columns; column++) {
    const bool within = reached(&taps, column);
    for (uint32_t row = 0; row < bounds->rows; row++) {
      const float *from = picture + (size_t)row * columns;
      line[(size_t)row * columns + (uint32_t)column] =
          within ? interpolated(&taps, from, column, 1) : float32_nothing();
    }
  }
  taps = taps_of(down, bounds->rows);
  for (int32_t row = 0; row < (int32_t)bounds->rows; row++) {
    const bool within = reached(&taps, row);
    for (uint32_t column = 0; column < columns; column++) {
      moved[(uint32_t)row * columns + column] =
          within ? interpolated(&taps, line + column, row, columns) : float32_nothing();
    }
  }
}

static void take_pixel(struct sums *sums, float weight, float r, float c, float e) {
  const float wr = weight * r;
  const float wc = weight * c;
  sums->n += weight;
  sums->r += wr;
  sums->c += wc;
  sums->e += weight * e;
  sums->rr += wr * r;
  sums->rc += wr * c;
  sums->cc += wc * c;
  sums->re += wr * e;
  sums->ce += wc * e;
  sums->count++;
}

/* Sums over the inner pixels; `before` is NULL at the first step, at which all weigh the same. */
static struct sums sums_of(const struct registration *bounds, const float *moved, const float *guide,
                           const struct step *before) {
  struct sums sums = {0};
  const uint32_t columns = bounds->columns;
  for (uint32_t row = 1; row + 1U < bounds->rows; row++) {
    for (uint32_t column = 1; column + 1U < columns; column++) {
      const size_t at = (size_t)row * columns + column;
      const float down = (guide[at + columns] - guide[at - columns]) * 0.5F;
      const float along = (guide[at + 1] - guide[at - 1]) * 0.5F;
      const float apart = moved[at] - guide[at];
      float weight = 1.0F;
      if (before != NULL) {
        const float left = apart - before->offset;
        weight = 1.0F / (1.0F + left * left * bounds->far);
      }
      if (float32_is_finite(down) && float32_is_finite(along) && float32_is_finite(apart)) {
        take_pixel(&sums, weight, down, along, apart);
      }
    }
  }
  return sums;
}

/* The next step; false where the pixels do not say. */
static bool step_of(const struct registration *bounds, const struct sums *sums, float share,
                    const struct registered *found, struct step *step) {
  if (sums->count < LEAST_PIXELS) {
    return false;
  }
  const float damping = bounds->damping + bounds->variance * share * sums->n;
  const float rr = sums->rr - sums->r * sums->r / sums->n + damping;
  const float cc = sums->cc - sums->c * sums->c / sums->n + damping;
  const float rc = sums->rc - sums->r * sums->c / sums->n;
  const float re = sums->re - sums->r * sums->e / sums->n + damping * found->down;
  const float ce = sums->ce - sums->c * sums->e / sums->n + damping * found->along;
  const float determinant = rr * cc - rc * rc;
  const float rows = (rc * ce - cc * re) / determinant;
  const float columns = (rc * re - rr * ce) / determinant;
  step->down = bounded(rows, 1.0F);
  step->along = bounded(columns, 1.0F);
  step->offset = (sums->e + sums->r * step->down + sums->c * step->along) / sums->n;
  return determinant > 0.0F && float32_is_finite(rows) && float32_is_finite(columns);
}

struct registered registration_find(const struct registration *bounds, const float *picture, const float *guide,
                                    float share, float *moved, float *line) {
  struct registered found = {.values = picture};
  struct step step;
  for (uint32_t number = 0; number < STEPS; number++) {
    const struct sums sums = sums_of(bounds, found.values, guide, number > 0 ? &step : NULL);
    if (!step_of(bounds, &sums, share, &found, &step)) {
      break;
    }
    found.down = bounded(found.down + step.down, bounds->most);
    found.along = bounded(found.along + step.along, bounds->most);
    found.values = picture;
    if (found.down != 0.0F || found.along != 0.0F) {
      warp(bounds, picture, found.down, found.along, moved, line);
      found.values = moved;
    }
    if (fabsf(step.down) < SETTLED && fabsf(step.along) < SETTLED) {
      break;
    }
  }
  found.known = fabsf(found.down) < bounds->most && fabsf(found.along) < bounds->most;
  return found;
}
