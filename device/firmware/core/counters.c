/* Names and sentences of all counters. */
#include "counters.h"

#include <stddef.h>

void counters_add(struct counters *counters, enum counter counter, uint32_t count) {
  uint32_t *total = &counters->counts[counter];
  *total = count > UINT32_MAX - *total ? UINT32_MAX : *total + count;
}

const char *counters_name(enum counter counter) {
  static const char *const names[COUNTER_COUNT] = {
#define X(constant, name, code, severity, sentence) #name,
      COUNTERS_FAULTS(X)
#undef X
#define X(constant, name) #name,
          COUNTERS_PLAIN(X)
#undef X
  };
  return names[counter];
}

const struct fault *counters_fault(enum counter counter) {
  static const struct fault faults[COUNTER_FAULTS] = {
#define X(constant, name, code, severity, sentence) {code, SEVERITY_##severity, sentence},
      COUNTERS_FAULTS(X)
#undef X
  };
  return counter < COUNTER_FAULTS ? &faults[counter] : NULL;
}
