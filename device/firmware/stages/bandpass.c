/* float32; direct form II transposed, section by section, each product rounded before it is added. */
#include "bandpass.h"

#include <string.h>

#include "float32.h"

static void begin(const struct bandpass_parameters *parameters, struct bandpass_column *column, float x) {
  const float rest = -(parameters->sections[0].b * x);
  memset(column, 0, sizeof *column);
  column->s1[0] = rest;
  column->s2[0] = rest;
}

static float filter(const struct bandpass_parameters *parameters, struct bandpass_column *column, float x) {
  for (uint32_t i = 0; i < parameters->count; i++) {
    const struct bandpass_section *section = &parameters->sections[i];
    const float weighed = section->b * x;
    x = weighed + column->s1[i];
    column->s1[i] = column->s2[i] - section->a1 * x;
    column->s2[i] = -weighed - section->a2 * x;
  }
  return x;
}

static float take(const struct bandpass_parameters *parameters, struct bandpass_column *column, float x) {
  const bool finite = float32_is_finite(x);
  if (column->lacking == BANDPASS_GAP) {
    if (!finite) {
      return float32_nothing();
    }
    begin(parameters, column, x);
  }
  column->lacking = finite ? 0 : column->lacking + 1U;
  column->last = finite ? x : column->last;
  const float y = filter(parameters, column, column->last);
  if (!float32_is_finite(y)) {
    column->lacking = BANDPASS_GAP;
  }
  return finite && float32_is_finite(y) ? y : float32_nothing();
}

static uint16_t go_on(const struct work *work) {
  const uint32_t elements = stage_signal(work, 0)->elements;
  const float *values = stage_input(work, 0);
  struct bandpass_column *columns = stage_keeps(work);
  float *output = stage_output(work);
  for (uint32_t i = 0; i < elements; i++) {
    output[i] = take(work->call->parameters, &columns[i], values[i]);
  }
  return 0;
}

static void reset(const struct work *work) {
  struct bandpass_column *columns = stage_keeps(work);
  for (uint32_t i = 0; i < stage_signal(work, 0)->elements; i++) {
    columns[i].lacking = BANDPASS_GAP;
  }
}

const struct stage bandpass_stage = {.name = "bandpass", .kind = STAGE_RECURSIVE, .go_on = go_on, .reset = reset};
