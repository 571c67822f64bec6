/* The clock's last reading, in memory that outlives a simulated board. */
#include "retained_time.h"

#define TIME_MAGIC 0x454D4954U /* "TIME" */
#define KEEP_EVERY_US 1000U

uint64_t retained_time_read(volatile struct retained_time *retained) {
  if (retained->magic != TIME_MAGIC) {
    retained->time_us[0] = 0;
    retained->time_us[1] = 0;
    retained->current = 0;
    retained->magic = TIME_MAGIC;
    return 0;
  }
  /* Readings up to KEEP_EVERY_US later were given and not kept. */
  return retained->time_us[retained->current & 1U] + KEEP_EVERY_US;
}

void retained_time_keep(volatile struct retained_time *retained, uint64_t time_us) {
  const uint32_t current = retained->current & 1U;
  if (time_us < retained->time_us[current] + KEEP_EVERY_US) {
    return;
  }
  retained->time_us[current ^ 1U] = time_us;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  retained->current = current ^ 1U;
}
