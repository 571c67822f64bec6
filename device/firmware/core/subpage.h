/* Which of the 768 pixels a subpage measured, and their order: 384 own pixels by rising address. */
#ifndef SUBPAGE_H
#define SUBPAGE_H

#include <stdbool.h>
#include <stdint.h>

#define ROWS 24U
#define COLUMNS 32U
#define PIXELS (ROWS * COLUMNS)
#define OWN_PIXELS (PIXELS / 2U)
#define AUXILIARY_WORDS 64U
#define RAM_WORDS (PIXELS + AUXILIARY_WORDS)

/* Index into the picture of own pixel `own` (0-383) of subpage `number` (0 or 1). Chess: row + column has the parity of
   the subpage; interleaved: the row has. */
static inline uint32_t subpage_pixel(uint32_t own, uint32_t number, bool chess) {
  if (chess) {
    return 2U * own + (((own >> 4) + number) & 1U);
  }
  return (own >> 5) * 2U * COLUMNS + number * COLUMNS + (own & (COLUMNS - 1U));
}

#endif
