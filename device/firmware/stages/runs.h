/* Runs of pixels of a mask, row by row, and which of them are connected. */
#ifndef STAGES_RUNS_H
#define STAGES_RUNS_H

#include <stdbool.h>
#include <stdint.h>

/* Pixels of a mask beside one another in a row. */
struct run {
  uint16_t first, end; /* places, row by row; `end` is the one behind the last */
  uint16_t root;       /* the first run that is connected with this one */
  uint16_t area;       /* of a root: pixels connected with it, its own among them */
};

/* Find the runs of a mask, in order of their places; gives how many. Room is needed for rows * ((columns + 1) / 2). */
uint32_t runs_make(const uint8_t *mask, uint32_t rows, uint32_t columns, bool diagonal, struct run *runs);

#endif
