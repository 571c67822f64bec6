/* As thermo_core.stages.elapsed has it. */
#include "elapsed.h"

#include "wire_table.h"

void elapsed_interrupt(struct elapsed *elapsed) {
  elapsed->begun = false;
}

int64_t elapsed_since(struct elapsed *elapsed, int64_t time_us, int64_t gap_us) {
  const int64_t since_us = elapsed->begun ? time_us - elapsed->newest_us : gap_us;
  *elapsed = (struct elapsed){.newest_us = time_us, .begun = true};
  return since_us >= 0 && since_us < gap_us ? since_us : gap_us / GAP_PERIODS;
}
