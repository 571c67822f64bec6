/* Counts of everything that went wrong or was dropped. Names, codes and sentences stand in wire_table.h, so that one
   host reads every wearable. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdint.h>

#include "wire_table.h"

enum counter {
#define X(constant, name, code, severity, sentence) COUNTER_##constant,
  FAULTS(X)
#undef X
      COUNTER_FAULTS,
  COUNTER_BEFORE_PLAIN = COUNTER_FAULTS - 1,
#define X(constant, name) COUNTER_##constant,
  COUNTS(X)
#undef X
      COUNTER_COUNT
};

/* Codes of the device's own events; faults have codes below 100. */
enum notice {
#define X(constant, code, severity) NOTICE_##constant = code,
  NOTICES(X)
#undef X
      NOTICE_FIRST = NOTICE_REQUEST_REFUSED,
  NOTICE_LAST = NOTICE_BASELINE,
};

struct counters {
  uint32_t counts[COUNTER_COUNT];
  uint8_t sensors[COUNTER_FAULTS]; /* the one each fault was counted for last, NO_SENSOR for none */
  uint8_t sensor;                  /* that is being looked after */
};

struct fault {
  uint8_t code;
  uint8_t severity; /* enum severity */
  const char *sentence;
};

/* Nothing counted yet, and no sensor looked after. */
void counters_init(struct counters *counters);
/* Add; a count stays at its largest value rather than wrap. */
void counters_add(struct counters *counters, enum counter counter, uint32_t count);
/* Name on the wire. */
const char *counters_name(enum counter counter);
/* What to report for it; NULL for a counter that is no fault. */
const struct fault *counters_fault(enum counter counter);

#endif
