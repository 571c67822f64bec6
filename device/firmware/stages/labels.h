/* Connected parts of a mask. */
#ifndef STAGES_LABELS_H
#define STAGES_LABELS_H

#include <stdbool.h>
#include <stdint.h>

/* Give each place of a mask (row by row, not 0 within) the least place that it is connected with; labels elsewhere mean
   nothing. `diagonal`: pixels that touch at a corner are connected. */
void labels_make(const uint8_t *mask, uint32_t rows, uint32_t columns, bool diagonal, uint16_t *labels);

#endif
