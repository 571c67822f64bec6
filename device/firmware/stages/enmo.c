/* float32; root of (x x + y y) + z z; sums in the order of rows; SD of the norm in two passes, of all rows. */
#include "enmo.h"

#include <math.h>
#include <stddef.h>

#include "float32.h"

static float norm_of(const float *axes) {
  return sqrtf(axes[0] * axes[0] + axes[1] * axes[1] + axes[2] * axes[2]);
}

static float enmo_of(float norm, float gravity) {
  const float beyond = norm - gravity;
  return beyond > 0.0F ? beyond : 0.0F;
}

static void window(const float *axes, uint32_t rows, float gravity, float *output) {
  float sum = 0.0F;
  float norms = 0.0F;
  uint32_t known = 0;
  for (uint32_t row = 0; row < rows; row++) {
    const float norm = norm_of(axes + (size_t)row * ENMO_AXES);
    if (float32_is_finite(norm)) {
      sum += enmo_of(norm, gravity);
      norms += norm;
      known++;
    }
  }
  if (2U * known < rows) {
    float32_fill_nothing(output, 2);
    return;
  }
  const float middle = norms / (float)known;
  float squares = 0.0F;
  for (uint32_t row = 0; row < rows; row++) {
    const float norm = norm_of(axes + (size_t)row * ENMO_AXES);
    if (float32_is_finite(norm)) {
      squares += (norm - middle) * (norm - middle);
    }
  }
  output[0] = sum / (float)known;
  output[1] = sqrtf(squares / (float)known);
}

static uint16_t apply(const struct work *work) {
  const struct enmo_parameters *parameters = work->call->parameters;
  const float *axes = stage_input(work, 0);
  float *output = stage_output(work);
  if (parameters->windowed) {
    window(axes, stage_signal(work, 0)->elements / ENMO_AXES, parameters->gravity, output);
    return 0;
  }
  const float norm = norm_of(axes);
  output[0] = float32_is_finite(norm) ? enmo_of(norm, parameters->gravity) : float32_nothing();
  return 0;
}

const struct stage enmo_stage = {.name = "enmo", .kind = STAGE_ELEMENTWISE, .apply = apply};
