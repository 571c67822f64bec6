/* The controller takes one word or one page at a time; the processor, which runs from the same flash, stands still
   meanwhile: 41 us a word, 85 ms a page. */
#include "nvmc.h"

#include <stdbool.h>
#include <string.h>

#include "registers.h"

#define WORD sizeof(uint32_t)
#define ERASED UINT32_MAX
/* Looks at the controller; it is ready at the first one where the processor stood still. */
#define LOOKS 10000000U

static bool is_within(const struct nvmc_pages *pages, size_t block, size_t offset, size_t size, size_t unit) {
  return block < pages->count && offset % unit == 0U && size % unit == 0U && offset <= pages->page_size &&
         size <= pages->page_size - offset;
}

static volatile uint32_t *word_at(const struct nvmc_pages *pages, size_t block, size_t offset) {
  return (volatile uint32_t *)(uintptr_t)(pages->start + block * pages->page_size + offset);
}

static void settle(void) {
  for (uint32_t i = 0; i < LOOKS && (NVMC_READY & 1U) == 0U; i++) {
  }
}

static void allow(uint32_t what) {
  settle();
  NVMC_CONFIG = what;
  settle();
}

static enum status read(void *context, size_t block, size_t offset, void *buffer, size_t size) {
  const struct nvmc_pages *pages = context;
  if (!is_within(pages, block, offset, size, 1)) {
    return STATUS_ARGUMENT;
  }
  memcpy(buffer, (const void *)(uintptr_t)(pages->start + block * pages->page_size + offset), size);
  return STATUS_OK;
}

static enum status program(void *context, size_t block, size_t offset, const void *data, size_t size) {
  const struct nvmc_pages *pages = context;
  const uint8_t *from = data;
  if (!is_within(pages, block, offset, size, WORD)) {
    return STATUS_ARGUMENT;
  }
  enum status status = STATUS_OK;
  allow(NVMC_WRITE);
  for (size_t done = 0; done < size; done += WORD) {
    volatile uint32_t *const word = word_at(pages, block, offset + done);
    uint32_t wanted;
    memcpy(&wanted, from + done, WORD);
    if (*word != wanted) { /* one of the two times a word may be written is not spent on nothing */
      *word = wanted;
      settle();
    }
    if (*word != wanted) {
      status = STATUS_STORAGE;
      break;
    }
  }
  allow(NVMC_READ_ONLY);
  return status;
}

static enum status erase(void *context, size_t block) {
  const struct nvmc_pages *pages = context;
  if (block >= pages->count) {
    return STATUS_ARGUMENT;
  }
  allow(NVMC_ERASE);
  NVMC_ERASE_PAGE = (uint32_t)(uintptr_t)word_at(pages, block, 0);
  settle();
  allow(NVMC_READ_ONLY);
  for (size_t offset = 0; offset < pages->page_size; offset += WORD) {
    if (*word_at(pages, block, offset) != ERASED) {
      return STATUS_STORAGE;
    }
  }
  return STATUS_OK;
}

struct flash nvmc_flash(struct nvmc_pages *pages) {
  return (struct flash){.context = pages,
                        .read_size = 1,
                        .prog_size = WORD,
                        .block_size = pages->page_size,
                        .block_count = pages->count,
                        .read = read,
                        .program = program,
                        .erase = erase};
}
