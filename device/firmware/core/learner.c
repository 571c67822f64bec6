/* As thermo_core.stages.learning has it. */
#include "learner.h"

void learner_count(struct learner_clock *clock, struct learned *learned, int64_t time_us, int64_t since_us) {
  const int64_t aged_us = clock->seen ? time_us - clock->seen_us : 0;
  clock->seen_us = time_us;
  clock->seen = true;
  learned->age_us += aged_us > 0 ? aged_us : 0;
  learned->learned_us += since_us;
  learned->samples += learned->samples < UINT32_MAX ? 1U : 0U;
}

bool learner_is_time(int64_t time_us) {
  return time_us >= 0 && time_us <= LEARNER_LONGEST_US;
}

bool learner_is_sound(const struct learned *learned, uint16_t parts) {
  return learner_is_time(learned->age_us) && learner_is_time(learned->learned_us) && learned->ready <= parts &&
         learned->parts == parts;
}
