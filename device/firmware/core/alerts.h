/* When an alert is raised and when it is over: a state that every finding or sample moves on.

   CLEAR -> PENDING while its condition holds, not for long enough yet; -> RAISED once it does; -> ACKNOWLEDGED when a
   person has said so; back to CLEAR once it is over. What cannot be believed (QUALITY_DOUBTFUL), or is no value, moves
   nothing. */
#ifndef ALERTS_H
#define ALERTS_H

#include <stdbool.h>
#include <stdint.h>

#include "wire_table.h"

enum alert_comparison { ALERT_AT_LEAST, ALERT_ABOVE, ALERT_AT_MOST, ALERT_BELOW };

struct alert_condition {
  enum alert_comparison comparison;
  float number;
};

#define ALERT_OF_SIGNAL (-1)

/* An alert of a profile: what it looks at and when. */
struct alert_plan {
  int64_t duration_us; /* for which `when` must hold */
  struct alert_condition when;
  struct alert_condition clear; /* when it is over, if has_clear; otherwise where `when` does not hold */
  bool has_clear;
  int8_t model;      /* whose finding it looks at; ALERT_OF_SIGNAL where it looks at a signal */
  uint16_t signal;   /* that it looks at, or that the model's findings are read from */
  uint16_t place;    /* of the number within the finding or the signal */
  uint16_t findings; /* in a row for which `when` must hold */
};

/* One alert at work; zeros before the first number. */
struct alert {
  enum alert_state state;
  uint16_t count; /* numbers in a row for which the condition held, while pending */
  uint16_t flags; /* of the number that moved it last */
  int64_t since_us;
  int64_t time_us; /* of its last change */
  float value;     /* that moved it last; NaN where a person or a gap did */
};

/* Take the number it watches at one moment. Returns whether its state changed. */
bool alert_push(const struct alert_plan *plan, struct alert *alert, float value, uint16_t flags, int64_t time_us);

/* A person has seen it: it stays until it is over, and calls nobody any more. Returns whether its state changed. */
bool alert_acknowledge(struct alert *alert, int64_t time_us);

/* What came before a gap or a change of sensor does not count any more; one that is raised stays raised. Returns
   whether its state changed. */
bool alert_interrupt(struct alert *alert, int64_t time_us);

#endif
