/* Places point to lesser ones they are connected with; where two such chains meet, the greater end points to the lesser
   one. */
#include "labels.h"

static uint16_t end_of(uint16_t *labels, uint16_t place) {
  while (labels[place] != place) {
    labels[place] = labels[labels[place]];
    place = labels[place];
  }
  return place;
}

/* Connect two places; gives the lesser end. */
static uint16_t joined(uint16_t *labels, uint16_t one, uint16_t other) {
  const uint16_t first = end_of(labels, one), second = end_of(labels, other);
  if (first < second) {
    labels[second] = first;
    return first;
  }
  labels[first] = second;
  return second;
}

void labels_make(const uint8_t *mask, uint32_t rows, uint32_t columns, bool diagonal, uint16_t *labels) {
  uint16_t place = 0;
  for (uint32_t row = 0; row < rows; row++) {
    for (uint32_t column = 0; column < columns; column++, place++) {
      if (mask[place] == 0) {
        continue;
      }
      const uint16_t above = (uint16_t)(place - columns), left = (uint16_t)(place - 1U);
      const bool has_above = row > 0 && mask[above] != 0, has_left = column > 0 && mask[left] != 0;
      if (has_above) {
        /* Diagonally the left one is connected with the one above already. */
        labels[place] = has_left && !diagonal ? joined(labels, above, left) : labels[above];
        continue;
      }
      const bool has_right = diagonal && row > 0 && column + 1U < columns && mask[above + 1U] != 0;
      const bool has_corner = diagonal && row > 0 && column > 0 && mask[above - 1U] != 0;
      if (has_left || has_corner) {
        const uint16_t before = has_left ? left : (uint16_t)(above - 1U);
        labels[place] = has_right ? joined(labels, before, (uint16_t)(above + 1U)) : labels[before];
      } else {
        labels[place] = has_right ? labels[above + 1U] : place;
      }
    }
  }
  for (uint32_t i = 0; i < rows * columns; i++) {
    if (mask[i] != 0) {
      labels[i] = labels[labels[i]];
    }
  }
}
