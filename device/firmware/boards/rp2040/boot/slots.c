/* Where the slots lie in the flash chip: docs/boards.md has the whole map. */
#include "registers.h"
#include "rom_flash.h"
#include "update_slots.h"

#define RAM_BEGIN 0x20000000U
#define RAM_SIZE 0x42000U
#define SLOT_A 0x00010000U
#define SLOT_BLOCKS 128U
#define MODEL_A 0x00110000U
#define MODEL_BLOCKS 32U

const struct slot_pair *update_slots(void) {
  static const struct rom_flash_part part = {.at = SLOT_A, .blocks = SLOTS * SLOT_BLOCKS};
  static struct flash flash;
  static struct slot_pair pair;
  flash = rom_flash_part(&part);
  return update_slots_at(&pair, &flash, SLOT_BLOCKS, FLASH_BASE + SLOT_A, RAM_BEGIN, RAM_SIZE);
}

const struct model_place *update_model_place(void) {
  static const struct rom_flash_part part = {.at = MODEL_A, .blocks = SLOTS * MODEL_BLOCKS};
  static struct flash flash;
  static struct slot_pair pair;
  static struct model_place place;
  flash = rom_flash_part(&part);
  return update_model_place_at(&place, &pair, &flash, MODEL_BLOCKS, (const uint8_t *)(uintptr_t)(FLASH_BASE + MODEL_A));
}
