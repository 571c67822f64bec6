/* float32; sums in the order of trees; exponentials of each sum less the greatest, over their sum in the order of
   classes. */
#include "trees.h"

#include "float32.h"

static float leaf_of(const struct trees_node *nodes, uint32_t root, const float *values) {
  const struct trees_node *node = &nodes[root];
  while (node->feature != TREES_LEAF) {
    const uint32_t beyond = values[node->feature] > node->threshold ? 1U : 0U;
    node = &nodes[node->child + beyond];
  }
  return node->threshold;
}

static uint16_t apply(const struct work *work) {
  const struct trees_parameters *parameters = work->call->parameters;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  const uint32_t classes = parameters->classes;
  for (uint32_t i = 0; i < classes; i++) {
    output[i] = parameters->start[i];
  }
  for (uint32_t tree = 0; tree < parameters->count; tree++) {
    output[tree % classes] += leaf_of(parameters->nodes, parameters->roots[tree], values);
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
