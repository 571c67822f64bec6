/* float32; sums of products in their order, each product rounded before it is added; lacking nodes by Gauss's
   elimination in their order, without exchanging rows. */
#include "body_map.h"

#include <stddef.h>

#include "float32.h"
#include "quality.h"

/* Equations of the nodes that lack: (I - W) z = W x. */
struct system {
  float *left; /* `count` x `count` */
  float *right;
  const uint8_t *places; /* which nodes they are */
  uint32_t count;
};

static void set_up(const struct system *of, const float *weights, const float *above, uint32_t nodes) {
  for (uint32_t i = 0; i < of->count; i++) {
    const float *row = weights + (size_t)of->places[i] * nodes;
    for (uint32_t j = 0; j < of->count; j++) {
      of->left[i * of->count + j] = (i == j ? 1.0F : 0.0F) - row[of->places[j]];
    }
    of->right[i] = float32_product(above, row, nodes, 1);
  }
}

static void solve(const struct system *of) {
  const uint32_t count = of->count;
  for (uint32_t pivot = 0; pivot < count; pivot++) {
    const float *upper = of->left + (size_t)pivot * count;
    for (uint32_t row = pivot + 1U; row < count; row++) {
      float *lower = of->left + (size_t)row * count;
      const float factor = lower[pivot] / upper[pivot];
      for (uint32_t column = pivot + 1U; column < count; column++) {
        lower[column] -= factor * upper[column];
      }
      of->right[row] -= factor * of->right[pivot];
    }
  }
  for (uint32_t row = count; row-- > 0;) {
    const float *line = of->left + (size_t)row * count;
    for (uint32_t column = row + 1U; column < count; column++) {
      of->right[row] -= line[column] * of->right[column];
    }
    of->right[row] /= line[row];
  }
}

static void make(const struct body_map_parameters *parameters, const float *above, uint32_t nodes, float *output) {
  const uint32_t segments = parameters->segments;
  for (uint32_t i = 0; i < segments; i++) {
    output[i] = float32_product(above, parameters->matrix + (size_t)i * nodes, nodes, 1) + parameters->level[i];
  }
  if (parameters->shares != NULL) {
    output[segments] = float32_product(output, parameters->shares, segments, 1);
  }
}

static uint16_t apply(const struct work *work) {
  const struct body_map_parameters *parameters = work->call->parameters;
  const uint32_t nodes = stage_signal(work, 0)->elements, most = nodes - parameters->least;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  float *above = stage_scratch(work), *right = above + nodes, *left = right + most;
  uint8_t *places = (uint8_t *)(left + (size_t)most * most);
  uint32_t lacking = 0;
  for (uint32_t i = 0; i < nodes; i++) {
    const bool known = float32_is_finite(values[i]);
    above[i] = known ? values[i] - parameters->usual[i] : 0.0F;
    if (known) {
      continue;
    }
    if (lacking == most) {
      float32_fill_nothing(output, parameters->segments + (parameters->shares != NULL ? 1U : 0U));
      return QUALITY_MISSING;
    }
    places[lacking++] = (uint8_t)i;
  }
  const struct system equations = {.left = left, .right = right, .places = places, .count = lacking};
  set_up(&equations, parameters->weights, above, nodes);
  solve(&equations);
  for (uint32_t i = 0; i < lacking; i++) {
    above[places[i]] = right[i];
  }
  make(parameters, above, nodes, output);
  return lacking > 0 ? QUALITY_FILLED : 0;
}

const struct stage body_map_stage = {
    .name = "body_map", .kind = STAGE_ELEMENTWISE, .settles = QUALITY_NO_VALUE, .apply = apply};
