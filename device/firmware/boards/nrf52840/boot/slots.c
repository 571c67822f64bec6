/* Where the slots lie in flash: docs/boards/nrf52840.md has the whole map. */
#include "memory.h"
#include "nvmc.h"
#include "update_slots.h"

#define RAM_BEGIN 0x20000000U
#define RAM_SIZE 0x40000U
#define SLOT_A 0x00010000U
#define SLOT_PAGES 64U
#define MODEL_A 0x00090000U
#define MODEL_PAGES 32U

const struct slot_pair *update_slots(void) {
  static struct nvmc_pages pages = {.start = SLOT_A, .page_size = FLASH_PAGE, .count = SLOTS * SLOT_PAGES};
  static struct flash flash;
  static struct slot_pair pair;
  flash = nvmc_flash(&pages);
  return update_slots_at(&pair, &flash, SLOT_PAGES, SLOT_A, RAM_BEGIN, RAM_SIZE);
}

const struct model_place *update_model_place(void) {
  static struct nvmc_pages pages = {.start = MODEL_A, .page_size = FLASH_PAGE, .count = SLOTS * MODEL_PAGES};
  static struct flash flash;
  static struct slot_pair pair;
  static struct model_place place;
  flash = nvmc_flash(&pages);
  return update_model_place_at(&place, &pair, &flash, MODEL_PAGES, (const uint8_t *)(uintptr_t)MODEL_A);
}
