/* As graph/runners.py and FlagSpan of stages/stage.py have it. */
#include "history.h"

#include <string.h>

void history_reset(struct history *history) {
  memset(history, 0, sizeof *history);
}

bool history_gap(const struct history *history, int64_t time_us, int64_t gap_us) {
  return gap_us != 0 && history->begun && time_us - history->newest_us > gap_us;
}

uint16_t history_flags(struct history *history, uint16_t flags, uint16_t span) {
  history->holding |= flags;
  const uint16_t spread = history->holding;
  for (uint32_t left = spread; left != 0; left &= left - 1U) {
    const uint32_t bit = (uint32_t)__builtin_ctz(left);
    if (((uint32_t)flags >> bit & 1U) != 0) {
      history->left[bit] = span;
    }
    if (--history->left[bit] == 0) {
      history->holding = (uint16_t)(history->holding & ~(1U << bit));
    }
  }
  return spread;
}
