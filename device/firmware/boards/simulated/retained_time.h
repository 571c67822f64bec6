/* The clock's last reading, in memory that outlives a simulated board. */
#ifndef RETAINED_TIME_H
#define RETAINED_TIME_H

#include <stdint.h>

#include "shared_memory.h"

/* A time later than any that `retained_time_keep` was told; 0 at the first start. */
uint64_t retained_time_read(volatile struct retained_time *retained);
/* Remember the clock's reading; cheap enough to be called at each. */
void retained_time_keep(volatile struct retained_time *retained, uint64_t time_us);

#endif
