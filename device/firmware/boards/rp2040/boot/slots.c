/* Where the slots lie in the flash chip: docs/boards.md has the whole map. */
#include "registers.h"
#include "rom_flash.h"
#include "update_slots.h"

#define RAM_BEGIN 0x20000000U
#define RAM_SIZE 0x42000U
#define SLOT_A 0x00010000U
#define SLOT_B 0x00050000U
#define SLOT_BLOCKS 64U
#define MODEL_A 0x00090000U
#define MODEL_B 0x000B0000U
#define MODEL_BLOCKS 32U

const struct slot_pair *update_slots(void) {
  static const struct rom_flash_part part = {.at = SLOT_A, .blocks = SLOTS * SLOT_BLOCKS};
  static const uint32_t places[SLOTS] = {SLOT_A, SLOT_B};
  static struct flash flash;
  static struct slot_pair pair;
  flash = rom_flash_part(&part);
  pair = (struct slot_pair){.flash = &flash, .blocks = SLOT_BLOCKS};
  for (int slot = 0; slot < SLOTS; slot++) {
    pair.first_block[slot] = (places[slot] - SLOT_A) / ROM_FLASH_BLOCK;
    pair.rules[slot] = (struct image_rules){.keys = firmware_keys,
                                            .key_count = firmware_key_count,
                                            .flags = IMAGE_ROM_FIXED,
                                            .address = FLASH_BASE + places[slot],
                                            .ram = RAM_BEGIN,
                                            .ram_size = RAM_SIZE};
  }
  return slot_pair_is_usable(&pair) ? &pair : NULL;
}

const struct model_place *update_model_place(void) {
  static const struct rom_flash_part part = {.at = MODEL_A, .blocks = SLOTS * MODEL_BLOCKS};
  static const uint32_t places[SLOTS] = {MODEL_A, MODEL_B};
  static struct flash flash;
  static struct slot_pair pair;
  static struct model_place place;
  flash = rom_flash_part(&part);
  pair = (struct slot_pair){.flash = &flash, .first_block = {0, MODEL_BLOCKS}, .blocks = MODEL_BLOCKS};
  for (int slot = 0; slot < SLOTS; slot++) {
    pair.rules[slot] = (struct image_rules){.keys = model_keys, .key_count = model_key_count};
    place.at[slot] = (const uint8_t *)(uintptr_t)(FLASH_BASE + places[slot]);
  }
  place.pair = &pair;
  return slot_pair_is_usable(&pair) ? &place : NULL;
}
