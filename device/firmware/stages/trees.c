/* float32; sums in the order of trees; exponentials of each sum less the greatest, over their sum in the order of
   classes. */
#include "trees.h"

#include <stddef.h>

#include "float32.h"

static uint32_t leaf_of(const struct trees_split *splits, uint32_t count, const float *values) {
  uint32_t leaf = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (splits[i].leaf == leaf && values[splits[i].feature] > splits[i].threshold) {
      leaf = i + 1U;
    }
  }
  return leaf;
}

static uint16_t apply(const struct work *work) {
  const struct trees_parameters *parameters = work->call->parameters;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  const uint32_t classes = parameters->classes;
  const uint32_t leaves = parameters->leaves;
  for (uint32_t i = 0; i < classes; i++) {
    output[i] = parameters->start[i];
  }
  for (uint32_t tree = 0; tree < parameters->count; tree++) {
    const uint32_t leaf = leaf_of(parameters->splits + (size_t)tree * (leaves - 1U), leaves - 1U, values);
    output[tree % classes] += parameters->values[tree * leaves + leaf];
  }
  float greatest = output[0];
  for (uint32_t i = 1; i < classes; i++) {
    greatest = output[i] > greatest ? output[i] : greatest;
  }
  for (uint32_t i = 0; i < classes; i++) {
    output[i] = float32_exp(output[i] - greatest);
  }
  const float total = float32_total(output, classes, 1);
  for (uint32_t i = 0; i < classes; i++) {
    output[i] /= total;
  }
  return 0;
}

const struct stage trees_stage = {.name = "trees", .kind = STAGE_ELEMENTWISE, .apply = apply};
