/* MCUboot's trailer at the end of a slot: whether its image is to be started, was started, and is to stay.

   From the end backwards: 16 bytes of magic, then image_ok and copy_done in a unit of 8 bytes each, as imgtool writes
   them with `--align 8 --pad`. Source: MCUboot's design.md, "Image trailer". Only bits are cleared: magic when the
   image is to be tested, copy_done before its first start, image_ok once it is well. */
#ifndef TRAILER_H
#define TRAILER_H

#include <stdbool.h>

#include "flash.h"
#include "status.h"

#define TRAILER_UNIT 8U
#define TRAILER_BYTES 32U

/* BAD is what a cut or another program left there. */
enum trailer_mark { TRAILER_UNSET, TRAILER_SET, TRAILER_BAD };

struct trailer {
  enum trailer_mark magic, copy_done, image_ok;
};

/* `slot` is the whole slot. */
struct trailer trailer_read(const struct flash_span *slot);

/* An image that stays. */
bool trailer_is_confirmed(const struct trailer *trailer);
/* An image that is to be started for the first time. */
bool trailer_is_pending(const struct trailer *trailer);
/* Nothing was written since the erase. */
bool trailer_is_unset(const struct trailer *trailer);

/* Program one mark that is unset. Returns OK or STORAGE. */
enum status trailer_set_magic(const struct flash_span *slot);
enum status trailer_set_copy_done(const struct flash_span *slot);
enum status trailer_set_image_ok(const struct flash_span *slot);

#endif
