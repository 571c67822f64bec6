/* Lines from their bytes. */
#include "linear_correction.h"

#include <math.h>
#define LARGEST_OFFSET 100.0F
#define LEAST_GAIN 0.5F
#define LARGEST_GAIN 2.0F
#define LARGEST_SLOPE 2.0F

enum status correction_lines_read(const struct flash_span *body, struct correction_line *lines, size_t count) {
  if (body->size != CORRECTION_LINE_BYTES * count) {
    return STATUS_DAMAGED;
  }
  for (size_t i = 0; i < count; i++) {
    uint8_t bytes[CORRECTION_LINE_BYTES];
    flash_span_read(body, i * sizeof bytes, bytes, sizeof bytes);
    const struct correction_line line = {correction_float(bytes), correction_float(bytes + 4),
                                         correction_float(bytes + 8)};
    if (!(fabsf(line.offset) <= LARGEST_OFFSET && line.gain >= LEAST_GAIN && line.gain <= LARGEST_GAIN &&
          fabsf(line.slope) <= LARGEST_SLOPE)) {
      return STATUS_DAMAGED;
    }
    lines[i] = line;
  }
  return STATUS_OK;
}

bool linear_correction_is_possible(const struct correction *correction, size_t count) {
  struct correction_line lines[CORRECTION_LINES];
  return correction_lines_read(&correction->body, lines, count) == STATUS_OK;
}

void linear_correction_use(struct linear_correction *linear, const struct correction *correction, size_t count) {
  linear->known = correction != NULL && correction_lines_read(&correction->body, linear->lines, count) == STATUS_OK;
}

bool linear_correction_changes(const struct linear_correction *linear, size_t count) {
  bool changes = false;
  for (size_t i = 0; linear->known && i < count; i++) {
    const struct correction_line *line = &linear->lines[i];
    changes = changes || !(line->offset == 0.0F && line->gain == 1.0F && line->slope == 0.0F);
  }
  return changes;
}
