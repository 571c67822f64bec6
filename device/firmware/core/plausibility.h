/* Words of a page that may have been damaged on the bus: the MLX90640 sends no checksum, so only jumps give them away.

   A flipped bit changes one word. A word is doubtful where it jumped against the last page of the same subpage by more
   than noise explains and its neighbours did not jump with it, as they do where something moves. */
#ifndef PLAUSIBILITY_H
#define PLAUSIBILITY_H

#include <stddef.h>
#include <stdint.h>

#include "subpage.h"

#define PLAUSIBILITY_WORDS ((RAM_WORDS + 31U) / 32U)

/* What is kept of a page: its own pixels and the auxiliary words. */
struct own_words {
  uint16_t pixels[OWN_PIXELS];
  uint16_t auxiliary[AUXILIARY_WORDS];
};

struct plausibility_scratch {
  int32_t order[OWN_PIXELS];
};

/* Whether all that belongs to a subpage of `ram` is as it was kept, which noise does not allow. */
bool plausibility_same(const struct own_words *kept, const uint16_t ram[RAM_WORDS], uint32_t number, uint16_t control);

/* Keep what belongs to a subpage of `ram`. */
void plausibility_keep(struct own_words *kept, const uint16_t ram[RAM_WORDS], uint32_t number, uint16_t control);

/* Mark the doubtful words of `ram` (bit i % 32 of doubtful[i / 32]) against the last page of this subpage, measured
   with the same control register; returns how many there are. */
size_t plausibility_check(const uint16_t ram[RAM_WORDS], const struct own_words *before, uint32_t number,
                          uint16_t control, struct plausibility_scratch *scratch,
                          uint32_t doubtful[PLAUSIBILITY_WORDS]);

#endif
