/* Sizes of what the MLX90640 measures, and which pixels belong to which subpage. */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_ROWS 24
#define FRAME_COLUMNS 32
#define FRAME_PIXELS (FRAME_ROWS * FRAME_COLUMNS)
#define FRAME_OWN_PIXELS (FRAME_PIXELS / 2)
#define FRAME_AUXILIARY_WORDS 64
#define FRAME_RAM_WORDS (FRAME_PIXELS + FRAME_AUXILIARY_WORDS)

#define FRAME_CHESS 0x1000u /* bit of the control register: chess pattern, otherwise interleaved rows */

/* Columns of a row that subpage `number` measures, bit c for column c: those whose row + column (chess) or row
   (interleaved) has the parity of the subpage. */
static inline uint32_t frame_own_columns(size_t row, uint8_t number, bool chess) {
  bool odd = ((row ^ number) & 1) != 0;
  if (chess) {
    return odd ? 0xAAAAAAAAu : 0x55555555u;
  }
  return odd ? 0u : 0xFFFFFFFFu;
}

#endif
