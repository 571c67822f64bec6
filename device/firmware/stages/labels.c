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

/* The label of a place without one above: of those to the left, or of the next one above. */
static uint16_t begun(const uint8_t *mask, uint16_t *labels, uint16_t place, uint32_t columns, bool diagonal,
                      bool first, bool last) {
  const uint16_t above = (uint16_t)(place - columns);
  const bool has_left = !first && mask[place - 1] != 0;
  const bool has_right = diagonal && place >= columns && !last && mask[above + 1U] != 0;
  const bool has_corner = diagonal && place >= columns && !first && mask[above - 1U] != 0;
  if (has_left || has_corner) {
    const uint16_t before = (uint16_t)(has_left ? place - 1U : above - 1U);
    return has_right ? joined(labels, before, (uint16_t)(above + 1U)) : labels[before];
  }
  return has_right ? labels[above + 1U] : place;
}

void labels_make(const uint8_t *mask, uint32_t rows, uint32_t columns, bool diagonal, uint16_t *labels) {
  uint32_t place = 0;
  for (uint32_t row = 0; row < rows; row++) {
    for (uint32_t column = 0; column < columns; column++, place++) {
      if (mask[place] == 0) {
        continue;
      }
      if (row > 0 && mask[place - columns] != 0) {
        /* Diagonally the left one is connected with the one above already. */
        const bool apart = !diagonal && column > 0 && mask[place - 1U] != 0;
        labels[place] =
            apart ? joined(labels, (uint16_t)(place - columns), (uint16_t)(place - 1U)) : labels[place - columns];
      } else {
        labels[place] = begun(mask, labels, (uint16_t)place, columns, diagonal, column == 0, column + 1U == columns);
      }
    }
  }
  for (uint32_t i = 0; i < rows * columns; i++) {
    if (mask[i] != 0) {
      labels[i] = labels[labels[i]];
    }
  }
}
