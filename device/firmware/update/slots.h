/* Two slots for signed images, and what may be done to them: upload, test, confirm, erase. Loader and firmware keep the
   same rules.

   - Only a slot that does not run is written, and not while what runs is on trial: the other holds its fallback.
   - An image must be newer than the one that runs, by version and not lower by security counter.
   - A block is erased when the first byte for it comes, so that no request waits for a whole slot.
   - The last block of a slot is for its trailer, and for a note of the upload that fills it: an upload that was cut
   goes on at the last whole block.

   Two slots of one kind are a pair: programs made for one slot's address each, or what runs from anywhere. */
#ifndef SLOTS_H
#define SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash.h"
#include "image.h"
#include "text.h"
#include "trailer.h"

#define SLOTS 2
#define SLOTS_NONE (-1)
#define SLOTS_SHA256_BYTES 32U

struct slot_pair {
  const struct flash *flash;
  size_t first_block[SLOTS];
  size_t blocks; /* of each, the last one the trailer's; at least 2 */
  struct image_rules rules[SLOTS];
};

/* Whether the flash suits: units that divide a trailer's, and room for the note of an upload. */
bool slot_pair_is_usable(const struct slot_pair *pair);
struct flash_span slot_whole(const struct slot_pair *pair, int slot);
/* Where an image may lie: all but the last block. */
struct flash_span slot_place(const struct slot_pair *pair, int slot);

enum slots_refusal {
  SLOTS_OK,
  SLOTS_IMAGE,      /* the image is refused; `fault` says why */
  SLOTS_CONTENT,    /* who uses the slots refuses what is in it */
  SLOTS_OLDER,      /* than the image that runs */
  SLOTS_TOO_LARGE,  /* for the slot */
  SLOTS_OFFSET,     /* the part does not continue the upload, or no upload is in progress */
  SLOTS_LENGTH,     /* the first part lacks it */
  SLOTS_NO_IMAGE,   /* no slot holds it */
  SLOTS_RUNS,       /* it runs already */
  SLOTS_ON_TRIAL,   /* confirm or reset first */
  SLOTS_WRONG_SLOT, /* the slot that runs */
  SLOTS_STORAGE,    /* flash does not keep it */
};

/* What a slot holds. */
struct slot_state {
  struct image image;
  enum image_fault fault; /* of its image */
  struct trailer trailer;
};

struct slots {
  const struct slot_pair *pair;
  int running; /* slot; SLOTS_NONE in the loader */
  /* Whether what is in a verified image suits; it adds what is wrong. NULL: everything does. */
  bool (*suits)(void *context, const struct flash_span *payload, const struct image *image, struct text *reason);
  void *context;

  struct slot_state state[SLOTS];
  bool known[SLOTS]; /* `state` is as flash is */
  enum image_fault fault;

  int target; /* of the upload; SLOTS_NONE without one */
  uint32_t length;
  uint32_t offset;
  uint32_t erased;    /* bytes from the start on that can be programmed or were */
  bool noted;         /* its note is in flash, so it can go on after a reset */
  uint32_t completed; /* length of the upload that ended last */
  uint8_t sha256[SLOTS_SHA256_BYTES];
  uint8_t pending[TRAILER_UNIT]; /* its last bytes, too few to program */
};

/* Begin; changes nothing in flash. `pair` has to stay. */
void slots_open(struct slots *slots, const struct slot_pair *pair, int running);
/* What a slot holds, verified once until it changes. */
const struct slot_state *slots_look(struct slots *slots, int slot);
/* Whether what runs waits to be confirmed while the other slot holds what would run instead. */
bool slots_on_trial(struct slots *slots);
/* The slot that takes an upload. */
int slots_free(struct slots *slots);

/* What comes with the first part of an upload. */
struct slots_first {
  bool has_length;
  uint32_t length;
  const uint8_t *sha256; /* of the whole image, NULL where it is not told: then the upload cannot go on after a cut */
};

/* Take a part of an upload. `*next` is the offset that is wanted next, the length once it is complete and verified. A
   first part of an upload that was cut, or of the image that lies there already, is answered with the offset to go on
   from, and so is one at another offset than the expected one. */
enum slots_refusal slots_upload(struct slots *slots, uint32_t offset, const uint8_t *data, size_t size,
                                const struct slots_first *first, uint32_t *next, struct text *reason);
/* Let the image with this hash start at the next reset, on trial or for good. */
enum slots_refusal slots_mark(struct slots *slots, const uint8_t *hash, size_t hash_size, bool permanent,
                              struct text *reason);
/* Keep what runs. */
enum slots_refusal slots_confirm(struct slots *slots);
/* Take away the image in the slot that does not run. */
enum slots_refusal slots_erase(struct slots *slots);

#endif
