/* What every stage that looks back remembers of the samples it rests on, apart from their values: which flags still
   hold, and whether there was a gap. */
#ifndef HISTORY_H
#define HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define HISTORY_FLAGS 16

struct history {
  int64_t newest_us;
  uint16_t left[HISTORY_FLAGS]; /* samples for which each flag holds on */
  uint16_t holding;             /* flags that do */
  bool begun;                   /* there is a newest sample */
  bool torn;                    /* what comes next does not continue what came before */
};

/* Forget everything. */
void history_reset(struct history *history);

/* Whether a sample at `time_us` comes after a gap; `gap_us` as in struct signal. */
bool history_gap(const struct history *history, int64_t time_us, int64_t gap_us);

/* Take a sample's flags: gives them, with those of up to `span` - 1 samples before it. */
uint16_t history_flags(struct history *history, uint16_t flags, uint16_t span);

#endif
