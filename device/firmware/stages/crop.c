/* Copies. */
#include "crop.h"

#include <string.h>

static uint16_t apply(const struct work *work) {
  const struct crop_parameters *parameters = work->call->parameters;
  const float *values = stage_input(work, 0) + parameters->first;
  float *output = stage_output(work);
  for (uint32_t row = 0; row < parameters->rows; row++) {
    memmove(output, values, sizeof *values * parameters->columns);
    output += parameters->columns;
    values += parameters->wide;
  }
  return 0;
}

const struct stage crop_stage = {.name = "crop", .kind = STAGE_ELEMENTWISE, .apply = apply};
