/* Where the slots lie: in memory that thermo-sim shares, which the processor runs code from, so that an exchanged
   firmware outlives the emulator. */
#include "memory.h"
#include "nor_flash.h"
#include "update_slots.h"

#define RAM_BEGIN 0x20000000U
#define RAM_SIZE 0x10000U

const struct slot_pair *update_slots(void) {
  static struct nor_flash nor = {.bytes = SHARED->slots[0],
                                 .read_size = 1,
                                 .prog_size = FLASH_UNIT,
                                 .block_size = FLASH_BLOCK_SIZE,
                                 .block_count = SLOTS * SLOT_BLOCKS};
  static struct flash flash;
  static struct slot_pair pair;
  flash = nor_flash(&nor);
  pair = (struct slot_pair){.flash = &flash, .first_block = {0, SLOT_BLOCKS}, .blocks = SLOT_BLOCKS};
  for (int slot = 0; slot < SLOTS; slot++) {
    pair.rules[slot] = (struct image_rules){.keys = firmware_keys,
                                            .key_count = firmware_key_count,
                                            .flags = IMAGE_ROM_FIXED,
                                            .address = (uint32_t)(uintptr_t)SHARED->slots[slot],
                                            .ram = RAM_BEGIN,
                                            .ram_size = RAM_SIZE};
  }
  return slot_pair_is_usable(&pair) ? &pair : NULL;
}

const struct model_place *update_model_place(void) {
  static struct nor_flash nor = {.bytes = SHARED->models[0],
                                 .read_size = 1,
                                 .prog_size = FLASH_UNIT,
                                 .block_size = FLASH_BLOCK_SIZE,
                                 .block_count = SLOTS * MODEL_BLOCKS};
  static struct flash flash;
  static struct slot_pair pair;
  static struct model_place place;
  flash = nor_flash(&nor);
  pair = (struct slot_pair){.flash = &flash, .first_block = {0, MODEL_BLOCKS}, .blocks = MODEL_BLOCKS};
  for (int slot = 0; slot < SLOTS; slot++) {
    pair.rules[slot] = (struct image_rules){.keys = model_keys, .key_count = model_key_count};
    place.at[slot] = SHARED->models[slot];
  }
  place.pair = &pair;
  return slot_pair_is_usable(&pair) ? &place : NULL;
}
