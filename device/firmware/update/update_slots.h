/* What each board with a bootloader gives: where its slots lie, and whose firmware it trusts. */
#ifndef UPDATE_SLOTS_H
#define UPDATE_SLOTS_H

#include "slots.h"

/* The slots of the firmware; NULL where the flash does not suit. */
const struct slot_pair *update_slots(void);

/* Two slots for models, and where the first byte of each lies in memory. */
struct model_place {
  const struct slot_pair *pair;
  const uint8_t *at[SLOTS];
};

/* The slots of models; NULL where the flash does not suit. */
const struct model_place *update_model_place(void);

/* Two slots of so many blocks, one behind the other from the beginning of `flash` on, which lies in memory at
   `address`; of firmware that has its stack in `ram`. NULL where the flash does not suit. */
const struct slot_pair *update_slots_at(struct slot_pair *pair, const struct flash *flash, uint32_t blocks,
                                        uint32_t address, uint32_t ram, uint32_t ram_size);
/* Likewise of models. */
const struct model_place *update_model_place_at(struct model_place *place, struct slot_pair *pair,
                                                const struct flash *flash, uint32_t blocks, const uint8_t *at);

/* Public keys that may sign firmware, and models; generated at build time. */
extern const uint8_t firmware_keys[][ED25519_KEY_BYTES];
extern const size_t firmware_key_count;
extern const uint8_t model_keys[][ED25519_KEY_BYTES];
extern const size_t model_key_count;

#endif
