/* float32; squares in the order of what goes with a number. */
#include "relative.h"

#include <math.h>
#include <stddef.h>

#include "float32.h"

static uint16_t apply(const struct work *work) {
  const struct relative_parameters *parameters = work->call->parameters;
  const uint32_t count = stage_signal(work, 0)->elements, each = parameters->count;
  const float *values = stage_input(work, 0), *to = stage_input(work, 1);
  float *output = stage_output(work);
  for (uint32_t i = 0; i < count; i++) {
    float squares = parameters->floor * parameters->floor;
    for (uint32_t j = 0; j < each; j++) {
      const float other = to[(size_t)i * each + j] * parameters->shares[j];
      squares += other * other;
    }
    output[i] = values[i] / sqrtf(squares);
  }
  return 0;
}

const struct stage relative_stage = {.name = "relative", .kind = STAGE_ELEMENTWISE, .apply = apply};
