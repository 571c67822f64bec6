/* The median as that of centre; one float32 subtraction a pixel. Of equal contrasts the spot whose first pixel comes
   first, row by row. */
#include "hot_spots.h"

#include <stddef.h>

#include "float32.h"

/* The first of the warmest pixels of each root. By contrast, not by value: subtraction may make values alike. */
static void find_peaks(const float *values, float middle, const struct run *runs, uint32_t count, uint16_t *peaks) {
  for (uint32_t i = 0; i < count; i++) {
    uint16_t *peak = &peaks[runs[i].root];
    if (runs[i].root == i) {
      *peak = runs[i].first;
    }
    float highest = values[*peak] - middle;
    for (uint32_t place = runs[i].first; place < runs[i].end; place++) {
      const float contrast = values[place] - middle;
      if (contrast > highest) {
        highest = contrast;
        *peak = (uint16_t)place;
      }
    }
  }
}

static uint16_t apply(const struct work *work) {
  const struct hot_spots_parameters *parameters = work->call->parameters;
  const uint32_t rows = parameters->rows, columns = parameters->columns, count = rows * columns;
  const uint32_t most_runs = rows * ((columns + 1U) / 2U);
  const float *values = stage_input(work, 0);
  float *output = stage_output(work);
  struct order_scratch *scratch = stage_scratch(work);
  struct run *runs = (struct run *)(void *)(scratch + 1);
  uint16_t *peaks = (uint16_t *)(runs + most_runs);
  uint8_t *mask = (uint8_t *)(peaks + most_runs);
  const struct order order = order_of(values, count, 1);
  const float middle = order_median(&order, scratch);
  for (uint32_t i = 0; i < count; i++) {
    mask[i] = values[i] - middle >= parameters->least_k;
  }
  const uint32_t runs_found = runs_make(mask, rows, columns, true, runs);
  find_peaks(values, middle, runs, runs_found, peaks);
  uint16_t best[HOT_SPOTS_MOST];
  uint32_t found = 0;
  for (uint32_t spot = 0; spot < runs_found; spot++) {
    if (runs[spot].root != spot) {
      continue;
    }
    uint32_t at = found < parameters->most ? found++ : found;
    const float contrast = values[peaks[spot]] - middle;
    for (; at > 0 && values[peaks[best[at - 1U]]] - middle < contrast; at--) {
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
    const uint32_t peak = peaks[best[i]];
    output[0] = values[peak] - middle;
    output[1] = (float)runs[best[i]].area;
    output[2] = (float)(peak / columns);
    output[3] = (float)(peak % columns);
  }
  return 0;
}

const struct stage hot_spots_stage = {.name = "hot_spots", .kind = STAGE_ELEMENTWISE, .apply = apply};
