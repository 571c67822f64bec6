/* Where the slots lie: in memory that thermo-sim shares, which the processor runs code from, so that an exchanged
   firmware outlives the emulator. */
#include "memory.h"
#include "nor_flash.h"
#include "update_slots.h"

#define RAM_BEGIN 0x20000000U
#define RAM_SIZE 0x10000U

static struct nor_flash nor(uint8_t *bytes, uint32_t blocks) {
  return (struct nor_flash){
      .bytes = bytes, .read_size = 1, .prog_size = FLASH_UNIT, .block_size = FLASH_BLOCK_SIZE, .block_count = blocks};
}

const struct slot_pair *update_slots(void) {
  static struct nor_flash chip;
  static struct flash flash;
  static struct slot_pair pair;
  chip = nor(SHARED->slots[0], SLOTS * SLOT_BLOCKS);
  flash = nor_flash(&chip);
  return update_slots_at(&pair, &flash, SLOT_BLOCKS, (uint32_t)(uintptr_t)SHARED->slots[0], RAM_BEGIN, RAM_SIZE);
}

const struct model_place *update_model_place(void) {
  static struct nor_flash chip;
  static struct flash flash;
  static struct slot_pair pair;
  static struct model_place place;
  chip = nor(SHARED->models[0], SLOTS * MODEL_BLOCKS);
  flash = nor_flash(&chip);
  return update_model_place_at(&place, &pair, &flash, MODEL_BLOCKS, SHARED->models[0]);
}
