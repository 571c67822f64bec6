/* Rows move up when the next window begins, so that a window lies in one piece and needs no copy. */
#include "window.h"

#include <stddef.h>
#include <string.h>

/* After a window: leave the rows that the next one has too. */
static void begin_next(const struct window_parameters *parameters, struct window_state *state, float *rows,
                       uint32_t elements) {
  const uint16_t length = parameters->length;
  const uint16_t every = parameters->every;
  state->filled = (uint16_t)(every < length ? length - every : 0);
  state->skip = (uint16_t)(every > length ? every - length : 0);
  if (state->filled > 0) {
    memmove(rows, rows + (size_t)every * elements, (size_t)state->filled * elements * sizeof rows[0]);
  }
}

static bool push(const struct work *work) {
  const struct window_parameters *parameters = work->call->parameters;
  struct window_state *state = work->call->state;
  const uint32_t elements = stage_signal(work, 0)->elements;
  float *rows = stage_keeps(work);
  if (state->filled == parameters->length) {
    begin_next(parameters, state, rows, elements);
  }
  if (state->skip > 0) {
    state->skip--;
    return false;
  }
  memcpy(rows + (size_t)state->filled * elements, stage_input(work, 0), elements * sizeof rows[0]);
  state->filled++;
  return state->filled == parameters->length;
}

static void reset(const struct work *work) {
  struct window_state *state = work->call->state;
  *state = (struct window_state){0};
}

const struct stage window_stage = {.name = "window", .kind = STAGE_REMEMBERING, .push = push, .reset = reset};
