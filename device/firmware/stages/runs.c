/* Each run points to a lesser one it is connected with; where two such chains meet, the greater end points to the
   lesser one. */
#include "runs.h"

#include <string.h>

/* The first column from `column` on that is set; `columns` where there is none. */
static uint32_t set_from(const uint8_t *line, uint32_t column, uint32_t columns) {
  uint32_t four;
  for (; column + sizeof four <= columns; column += (uint32_t)sizeof four) {
    memcpy(&four, line + column, sizeof four);
    if (four != 0) {
      break;
    }
  }
  while (column < columns && line[column] == 0) {
    column++;
  }
  return column;
}

/* Likewise the first that is clear. */
static uint32_t clear_from(const uint8_t *line, uint32_t column, uint32_t columns) {
  uint32_t four;
  for (; column + sizeof four <= columns; column += (uint32_t)sizeof four) {
    memcpy(&four, line + column, sizeof four);
    if (((four - 0x01010101U) & ~four & 0x80808080U) != 0) {
      break;
    }
  }
  while (column < columns && line[column] != 0) {
    column++;
  }
  return column;
}

static uint16_t root_of(struct run *runs, uint16_t run) {
  while (runs[run].root != run) {
    runs[run].root = runs[runs[run].root].root;
    run = runs[run].root;
  }
  return run;
}

static void join(struct run *runs, uint16_t one, uint16_t other) {
  const uint16_t first = root_of(runs, one), second = root_of(runs, other);
  if (first < second) {
    runs[second].root = first;
  } else {
    runs[first].root = second;
  }
}

uint32_t runs_make(const uint8_t *mask, uint32_t rows, uint32_t columns, bool diagonal, struct run *runs) {
  const uint32_t reach = diagonal ? 1U : 0U;
  uint32_t count = 0, above = 0, above_end = 0;
  for (uint32_t row = 0; row < rows; row++) {
    const uint32_t before = count, place = row * columns;
    const uint8_t *line = mask + place;
    for (uint32_t column = set_from(line, 0, columns); column < columns; column = set_from(line, column, columns)) {
      const uint32_t first = column;
      column = clear_from(line, column, columns);
      runs[count] = (struct run){(uint16_t)(place + first), (uint16_t)(place + column), (uint16_t)count, 0};
      while (above < above_end && runs[above].end + columns + reach <= place + first) {
        above++;
      }
      /* The last one that touches may touch the next run as well. */
      for (uint32_t i = above; i < above_end && runs[i].first + columns < place + column + reach; i++) {
        join(runs, (uint16_t)i, (uint16_t)count);
      }
      count++;
    }
    above = before;
    above_end = count;
  }
  for (uint32_t i = 0; i < count; i++) {
    const uint16_t root = runs[runs[i].root].root;
    runs[i].root = root;
    runs[root].area = (uint16_t)(runs[root].area + runs[i].end - runs[i].first);
  }
  return count;
}
