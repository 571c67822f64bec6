#include "update_slots.h"

static void lay_out(struct slot_pair *pair, const struct flash *flash, uint32_t blocks) {
  *pair = (struct slot_pair){.flash = flash, .first_block = {0, blocks}, .blocks = blocks};
}

const struct slot_pair *update_slots_at(struct slot_pair *pair, const struct flash *flash, uint32_t blocks,
                                        uint32_t address, uint32_t ram, uint32_t ram_size) {
  lay_out(pair, flash, blocks);
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    pair->rules[slot] = (struct image_rules){.keys = firmware_keys,
                                             .key_count = firmware_key_count,
                                             .flags = IMAGE_ROM_FIXED,
                                             .address = address + slot * blocks * (uint32_t)flash->block_size,
                                             .ram = ram,
                                             .ram_size = ram_size};
  }
  return slot_pair_is_usable(pair) ? pair : NULL;
}

const struct model_place *update_model_place_at(struct model_place *place, struct slot_pair *pair,
                                                const struct flash *flash, uint32_t blocks, const uint8_t *at) {
  lay_out(pair, flash, blocks);
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    pair->rules[slot] = (struct image_rules){.keys = model_keys, .key_count = model_key_count};
    place->at[slot] = at + slot * blocks * flash->block_size;
  }
  place->pair = pair;
  return slot_pair_is_usable(pair) ? place : NULL;
}
