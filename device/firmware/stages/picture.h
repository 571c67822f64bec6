/* What stages on pictures share: rows of pixels, edges repeated beyond them. */
#ifndef STAGES_PICTURE_H
#define STAGES_PICTURE_H

#include <stddef.h>
#include <stdint.h>

/* Keeps a compiler from moving reads and writes across, so that those between two stay together and are done in pairs.
 */
static inline void picture_barrier(void) {
#if defined(__GNUC__)
  __asm__ volatile("" ::: "memory");
#endif
}

/* Words to 0, four at a time; some of them may lie behind `count`, up to a multiple of four. A small C library does it
   byte by byte, which the barrier keeps the compiler from calling. */
static inline void picture_clear(uint32_t *words, uint32_t count) {
  for (uint32_t i = 0; i < count; i += 4U, words += 4) {
    words[0] = 0;
    words[1] = 0;
    words[2] = 0;
    words[3] = 0;
    picture_barrier();
  }
}

/* A picture, row by row. */
struct picture {
  const float *values;
  uint32_t rows, columns;
};

/* A place that may be one beyond an end, brought back to it. */
static inline uint32_t picture_place(int32_t place, uint32_t length) {
  return place < 0 ? 0U : (uint32_t)place >= length ? length - 1U : (uint32_t)place;
}

static inline const float *picture_row(const struct picture *picture, int32_t row) {
  return picture->values + (size_t)picture_place(row, picture->rows) * picture->columns;
}

static inline float picture_at(const struct picture *picture, int32_t row, int32_t column) {
  return picture_row(picture, row)[picture_place(column, picture->columns)];
}

#endif
