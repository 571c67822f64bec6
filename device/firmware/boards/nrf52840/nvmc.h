/* Pages of the flash that the processor runs from. */
#ifndef NVMC_H
#define NVMC_H

#include <stddef.h>
#include <stdint.h>

#include "flash.h"

/* Where they are. */
struct nvmc_pages {
  uint32_t start; /* address of the first one's first byte */
  size_t page_size;
  size_t count;
};

/* As the core sees it; `pages` must stay. Its functions return ARGUMENT where units or ends of pages are not kept to,
   STORAGE where a page or a word is not as wanted afterwards. Each word may be programmed twice between two erases. */
struct flash nvmc_flash(struct nvmc_pages *pages);

#endif
