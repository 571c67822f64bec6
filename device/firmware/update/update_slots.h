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

/* Public keys that may sign firmware, and models; generated at build time. */
extern const uint8_t firmware_keys[][ED25519_KEY_BYTES];
extern const size_t firmware_key_count;
extern const uint8_t model_keys[][ED25519_KEY_BYTES];
extern const size_t model_key_count;

#endif
