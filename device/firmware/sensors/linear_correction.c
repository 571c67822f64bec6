/* Lines from their bytes. */
#include "linear_correction.h"

#include <math.h>
#include <string.h>

#include "bytes.h"

#define LINE_BYTES 12U
#define LARGEST_OFFSET 100.0F
#define LEAST_GAIN 0.5F
#define LARGEST_GAIN 2.0F
#define LARGEST_SLOPE 2.0F

static float load_float(const uint8_t *from) {
  const uint32_t bits = load_le32(from);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

enum status correction_lines_read(const uint8_t *body, size_t size, struct correction_line *lines, size_t count) {
  if (size != LINE_BYTES * count) {
    return STATUS_DAMAGED;
  }
  for (size_t i = 0; i < count; i++, body += LINE_BYTES) {
    const struct correction_line line = {load_float(body), load_float(body + 4), load_float(body + 8)};
    if (!(fabsf(line.offset) <= LARGEST_OFFSET && line.gain >= LEAST_GAIN && line.gain <= LARGEST_GAIN &&
          fabsf(line.slope) <= LARGEST_SLOPE)) {
      return STATUS_DAMAGED;
    }
    lines[i] = line;
  }
  return STATUS_OK;
}
