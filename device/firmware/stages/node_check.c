/* float32; sums of products in the order of nodes, each product rounded before it is added; the first of equal ones. */
#include "node_check.h"

#include <math.h>
#include <stddef.h>

#include "float32.h"
#include "quality.h"

#define FILLS 3U

/* A sample at hand. */
struct nodes {
  const struct node_check_parameters *parameters;
  float *above;      /* what is usual of each */
  uint8_t *left_out; /* each that does not count */
  uint32_t count;
};

static float said_of(const struct nodes *nodes, uint32_t node) {
  return float32_product(nodes->above, nodes->parameters->weights + (size_t)node * nodes->count, nodes->count, 1);
}

/* How many count. */
static uint32_t counting(const struct nodes *nodes) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < nodes->count; i++) {
    count += nodes->left_out[i] ? 0U : 1U;
  }
  return count;
}

/* Write what the others say of those that are left out, beginning with the mean of the others. */
static void fill(const struct nodes *nodes) {
  float sum = 0.0F;
  for (uint32_t i = 0; i < nodes->count; i++) {
    sum += nodes->left_out[i] ? 0.0F : nodes->above[i];
  }
  const float mean = sum / (float)counting(nodes);
  for (uint32_t i = 0; i < nodes->count; i++) {
    nodes->above[i] = nodes->left_out[i] ? mean : nodes->above[i];
  }
  for (uint32_t time = 0; time < FILLS; time++) {
    for (uint32_t i = 0; i < nodes->count; i++) {
      if (nodes->left_out[i]) {
        nodes->above[i] = said_of(nodes, i);
      }
    }
  }
}

/* The node farthest beyond its limit; `count` where none is beyond. */
static uint32_t worst_of(const struct nodes *nodes) {
  uint32_t worst = nodes->count;
  float farthest = 1.0F;
  for (uint32_t i = 0; i < nodes->count; i++) {
    const float beyond = fabsf(nodes->above[i] - said_of(nodes, i)) * nodes->parameters->tightness[i];
    if (!nodes->left_out[i] && beyond > farthest) {
      farthest = beyond;
      worst = i;
    }
  }
  return worst;
}

static uint16_t check(const struct nodes *nodes, float *output) {
  uint16_t flags = 0;
  for (uint32_t time = 0; time < nodes->parameters->most; time++) {
    fill(nodes);
    const uint32_t worst = worst_of(nodes);
    if (worst == nodes->count || 2U * (counting(nodes) - 1U) < nodes->count) {
      break;
    }
    nodes->left_out[worst] = 1;
    output[worst] = float32_nothing();
    flags = QUALITY_IMPLAUSIBLE;
  }
  return flags;
}

static uint16_t apply(const struct work *work) {
  const struct node_check_parameters *parameters = work->call->parameters;
  const uint32_t count = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0);
  float *above = stage_scratch(work);
  const struct nodes nodes = {
      .parameters = parameters, .above = above, .left_out = (uint8_t *)(above + count), .count = count};
  float *output = stage_output(work);
  for (uint32_t i = 0; i < count; i++) {
    nodes.left_out[i] = float32_is_finite(values[i]) ? 0 : 1;
    above[i] = nodes.left_out[i] ? 0.0F : values[i] - parameters->usual[i];
    output[i] = values[i];
  }
  if (2U * counting(&nodes) < count) {
    return 0;
  }
  for (uint32_t i = 0; i < count; i++) {
    output[i] = nodes.left_out[i] ? float32_nothing() : values[i];
  }
  return check(&nodes, output);
}

const struct stage node_check_stage = {.name = "node_check", .kind = STAGE_ELEMENTWISE, .apply = apply};
