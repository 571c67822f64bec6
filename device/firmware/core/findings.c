/* As thermo_core.graph.findings has it. */
#include "findings.h"

#include <stddef.h>

#include "float32.h"
#include "quality.h"

static float score_of(int32_t steps) {
  return (float)steps / (float)FINDING_SCORE_STEPS;
}

static int32_t steps_of(float said) {
  const float bounded = said < 0.0F ? 0.0F : said > 1.0F ? 1.0F : said;
  return float32_round(bounded * (float)FINDING_SCORE_STEPS);
}

static void read_scores(struct finding *finding, const float *said, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    finding->values[i] = score_of(steps_of(said[i]));
  }
  if (count == 1 && finding->count == 2) {
    const int32_t steps = steps_of(said[0]);
    finding->values[0] = score_of(FINDING_SCORE_STEPS - steps);
    finding->values[1] = score_of(steps);
  }
}

static void read_quantities(struct finding *finding, const struct finding_quantity *quantities, const float *said) {
  bool any = false;
  for (uint32_t i = 0; i < finding->count; i++) {
    const float value = quantities[i].offset + quantities[i].factor * said[i];
    finding->values[i] = value;
    if (!float32_is_nothing(value)) {
      any = true;
      if (value < quantities[i].low || value > quantities[i].high) {
        finding->flags |= QUALITY_OUT_OF_RANGE;
      }
    }
  }
  if (!any) {
    finding->count = 0;
    finding->flags |= QUALITY_MISSING;
  }
}

struct finding finding_read(const struct finding_model *model, uint8_t number, const float *said, uint32_t said_count,
                            uint16_t flags, int64_t time_us, float *values) {
  struct finding finding = {
      .time_us = time_us, .values = values, .flags = flags, .model = number, .count = model->output_count};
  if (model->quantities != NULL) {
    read_quantities(&finding, model->quantities, said);
  } else if (float32_any_nothing(said, said_count)) {
    finding.count = 0;
    finding.flags |= QUALITY_MISSING;
  } else {
    read_scores(&finding, said, said_count);
  }
  return finding;
}

uint16_t finding_steps(float score) {
  return (uint16_t)steps_of(score);
}

uint8_t finding_winner(const struct finding *finding) {
  uint8_t winner = 0;
  for (uint8_t i = 1; i < finding->count; i++) {
    winner = finding->values[i] > finding->values[winner] ? i : winner;
  }
  return winner;
}
