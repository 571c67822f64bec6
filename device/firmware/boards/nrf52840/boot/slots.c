/* Where the slots lie in flash: docs/boards/nrf52840.md has the whole map. */
#include "memory.h"
#include "nvmc.h"
#include "update_slots.h"

#define RAM_BEGIN 0x20000000U
#define RAM_SIZE 0x40000U
#define SLOT_A 0x00010000U
#define SLOT_PAGES 64U

const struct slot_pair *update_slots(void) {
  static struct nvmc_pages pages = {.start = SLOT_A, .page_size = FLASH_PAGE, .count = SLOTS * SLOT_PAGES};
  static struct flash flash;
  static struct slot_pair pair;
  flash = nvmc_flash(&pages);
  pair = (struct slot_pair){.flash = &flash, .first_block = {0, SLOT_PAGES}, .blocks = SLOT_PAGES};
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    pair.rules[slot] = (struct image_rules){.keys = firmware_keys,
                                            .key_count = firmware_key_count,
                                            .flags = IMAGE_ROM_FIXED,
                                            .address = SLOT_A + slot * SLOT_PAGES * FLASH_PAGE,
                                            .ram = RAM_BEGIN,
                                            .ram_size = RAM_SIZE};
  }
  return slot_pair_is_usable(&pair) ? &pair : NULL;
}
