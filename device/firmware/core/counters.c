/* Names and sentences of all counters. */
#include "counters.h"

#include <stddef.h>
#include <string.h>

void counters_init(struct counters *counters) {
  memset(counters, 0, sizeof *counters);
  memset(counters->sensors, NO_SENSOR, sizeof counters->sensors);
  counters->sensor = NO_SENSOR;
}

void counters_add(struct counters *counters, enum counter counter, uint32_t count) {
  uint32_t *total = &counters->counts[counter];
  *total = count > UINT32_MAX - *total ? UINT32_MAX : *total + count;
  if (counter < COUNTER_FAULTS) {
    counters->sensors[counter] = counters->sensor;
  }
}

const char *counters_name(enum counter counter) {
  static const char *const names[COUNTER_COUNT] = {
#define X(constant, name, code, severity, sentence) #name,
      FAULTS(X)
#undef X
#define X(constant, name) #name,
          COUNTS(X)
#undef X
  };
  return names[counter];
}

const struct fault *counters_fault(enum counter counter) {
  static const struct fault faults[COUNTER_FAULTS] = {
#define X(constant, name, code, severity, sentence) {code, SEVERITY_##severity, sentence},
      FAULTS(X)
#undef X
  };
  return counter < COUNTER_FAULTS ? &faults[counter] : NULL;
}
