/* Flash and the clock's last reading, in memory that outlives a simulated board. */
#include "storage.h"

#include <stdbool.h>
#include <string.h>

#define TIME_MAGIC 0x454D4954U /* "TIME" */
#define KEEP_EVERY_US 1000U

enum status storage_erase(uint8_t *flash, size_t page) {
  if (page >= FLASH_PAGES) {
    return STATUS_ARGUMENT;
  }
  memset(flash + page * FLASH_PAGE_SIZE, 0xFF, FLASH_PAGE_SIZE);
  return STATUS_OK;
}

enum status storage_program(uint8_t *flash, size_t offset, const uint8_t *data, size_t size) {
  const size_t total = (size_t)FLASH_PAGES * FLASH_PAGE_SIZE;
  if (offset % 8 != 0 || size % 8 != 0 || offset > total || size > total - offset) {
    return STATUS_ARGUMENT;
  }
  bool kept = true;
  for (size_t i = 0; i < size; i++) {
    flash[offset + i] &= data[i];
    kept = kept && flash[offset + i] == data[i];
  }
  return kept ? STATUS_OK : STATUS_STORAGE;
}

uint64_t storage_time(volatile struct retained_time *retained) {
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

void storage_keep_time(volatile struct retained_time *retained, uint64_t time_us) {
  const uint32_t current = retained->current & 1U;
  if (time_us < retained->time_us[current] + KEEP_EVERY_US) {
    return;
  }
  retained->time_us[current ^ 1U] = time_us;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  retained->current = current ^ 1U;
}
