/* Flash and the clock's last reading, in memory that outlives a simulated board. */
#ifndef STORAGE_H
#define STORAGE_H

#include <stddef.h>
#include <stdint.h>

#include "shared_memory.h"
#include "status.h"

/* Set a page to 0xFF. ARGUMENT where there is no such page. */
enum status storage_erase(uint8_t *flash, size_t page);
/* Clear bits, as NOR flash does; multiples of 8 bytes at multiples of 8. ARGUMENT where it does not fit, STORAGE where
   a bit would have to be set. */
enum status storage_program(uint8_t *flash, size_t offset, const uint8_t *data, size_t size);

/* A time later than any that `storage_keep_time` was told; 0 at the first start. */
uint64_t storage_time(volatile struct retained_time *retained);
/* Remember the clock's reading; cheap enough to be called at each. */
void storage_keep_time(volatile struct retained_time *retained, uint64_t time_us);

#endif
