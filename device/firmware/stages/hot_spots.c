/* The median as that of centre; one float32 subtraction a pixel. Of equal contrasts the spot whose first pixel comes
   first, row by row. */
#include "hot_spots.h"

#include <stddef.h>
#include <string.h>

#include "float32.h"
#include "labels.h"

/* What is known of spots: by the least place of each. */
struct spots {
  const uint16_t *labels;
  uint16_t *areas, *peaks;
};

static void gather(const float *values, float middle, const uint8_t *mask, uint32_t count, const struct spots *spots) {
  memset(spots->areas, 0, count * sizeof *spots->areas);
  for (uint32_t i = 0; i < count; i++) {
    if (mask[i] == 0) {
      continue;
    }
    const uint16_t spot = spots->labels[i];
    if (spots->areas[spot]++ == 0 || values[i] - middle > values[spots->peaks[spot]] - middle) {
      spots->peaks[spot] = (uint16_t)i;
    }
  }
}

static uint16_t apply(const struct work *work) {
  const struct hot_spots_parameters *parameters = work->call->parameters;
  const uint32_t columns = parameters->columns, count = parameters->rows * columns;
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  struct order_scratch *scratch = stage_scratch(work);
  uint16_t *labels = (uint16_t *)(void *)(scratch + 1);
  const struct spots spots = {.labels = labels, .areas = labels + count, .peaks = labels + 2U * count};
  uint8_t *mask = (uint8_t *)(labels + 3U * count);
  const struct order order = order_of(values, count, 1);
  const float middle = order_median(&order, scratch);
  for (uint32_t i = 0; i < count; i++) {
    mask[i] = values[i] - middle >= parameters->least_k;
  }
  labels_make(mask, parameters->rows, columns, true, labels);
  gather(values, middle, mask, count, &spots);
  uint16_t best[HOT_SPOTS_MOST];
  uint32_t found = 0;
  for (uint32_t spot = 0; spot < count; spot++) {
    if (spots.areas[spot] == 0) {
      continue;
    }
    uint32_t at = found < parameters->most ? found++ : found;
    /* By contrast, not by value: subtraction may make values alike. */
    const float contrast = values[spots.peaks[spot]] - middle;
    for (; at > 0 && values[spots.peaks[best[at - 1U]]] - middle < contrast; at--) {
      if (at < parameters->most) {
        best[at] = best[at - 1U];
      }
    }
    if (at < parameters->most) {
      best[at] = (uint16_t)spot;
    }
  }
  float32_fill_nothing(output, 4U * (uint32_t)parameters->most);
  for (uint32_t i = 0; i < found; i++, output += 4) {
    const uint32_t peak = spots.peaks[best[i]];
    output[0] = values[peak] - middle;
    output[1] = (float)spots.areas[best[i]];
    output[2] = (float)(peak / columns);
    output[3] = (float)(peak % columns);
  }
  return 0;
}

const struct stage hot_spots_stage = {.name = "hot_spots", .kind = STAGE_ELEMENTWISE, .apply = apply};
