/* One picture's way from two decoded subpages to a verdict. */
#include "verdicts.h"

#include <string.h>

#include "interpolate.h"
#include "mlx90640_limits.h"
#include "scores.h"

/* Pixels that must have been measured; the others are filled in from them, and a network sees no difference. */
#define LEAST_VALID (PIXELS * 7U / 8U)
/* Subpages between two pictures after which the running mean and the count of alerts start anew. */
#define LONGEST_GAP 8U

enum status verdicts_init(struct verdicts *v, const struct board *board, struct counters *counters,
                          const struct profile *profile, struct verdict_scratch *scratch) {
  memset(v, 0, sizeof *v);
  v->board = board;
  v->counters = counters;
  v->profile = profile;
  v->scratch = scratch;
  return features_start(&v->features, profile->average_pictures);
}

void verdicts_reset(struct verdicts *v) {
  features_reset(&v->features);
  v->waiting = false;
  v->has_last = false;
  v->in_a_row = 0;
}

/* Whether enough verdicts in a row reached the profile's threshold. */
static bool alert(struct verdicts *v, float value) {
  const struct profile *profile = v->profile;
  if (!profile->has_alert) {
    return false;
  }
  if (value < profile->alert_threshold) {
    v->in_a_row = 0;
    return false;
  }
  v->in_a_row = v->in_a_row < UINT16_MAX ? (uint16_t)(v->in_a_row + 1) : UINT16_MAX;
  return v->in_a_row >= profile->alert_consecutive;
}

/* Whether a finding may rest on the picture: enough of it measured, by a sensor within its own range. */
static bool is_fit(const struct verdicts *v, const struct correction *correction, float ta) {
  if (!(ta >= MLX90640_COLDEST_DIE && ta <= MLX90640_HOTTEST_DIE)) {
    counters_add(v->counters, COUNTER_DIE_OUT_OF_RANGE, 1);
    return false;
  }
  uint32_t count = 0;
  for (uint32_t row = 0; row < ROWS; row++) {
    const uint32_t valid = correction->has_bad ? v->valid[row] & correction->valid[row] : v->valid[row];
    for (uint32_t bits = valid; bits != 0; bits &= bits - 1U) {
      count++;
    }
  }
  if (count < LEAST_VALID) {
    counters_add(v->counters, COUNTER_PICTURE_INCOMPLETE, 1);
    return false;
  }
  return true;
}

static bool judge(struct verdicts *v, const struct correction *correction, float ta, uint32_t index, uint64_t time_us,
                  struct verdict *verdict) {
  const struct model_profile *model = v->profile->model;
  if (v->features.length == 0 || !is_fit(v, correction, ta)) {
    return false;
  }
  if (v->has_last && index - v->last_index > LONGEST_GAP) {
    features_reset(&v->features);
    v->in_a_row = 0;
  }
  v->has_last = true;
  v->last_index = index;
  correction_apply(correction, v->celsius, ta);
  if (features_push(&v->features, v->celsius) != STATUS_OK) {
    counters_add(v->counters, COUNTER_UNDECODABLE, 1);
    return false;
  }
  if (model == NULL || !features_ready(&v->features)) {
    return false;
  }
  if (features_quantize(&v->features, v->profile, v->scratch->order, model->input()) != STATUS_OK) {
    return false;
  }
  const uint64_t began_us = v->board->now_us();
  model->invoke();
  const uint64_t now_us = v->board->now_us();
  counters_add(v->counters, COUNTER_CLASSIFIED, 1);
  verdict->time_us = now_us;
  verdict->index = index;
  verdict->pictures = (uint8_t)features_pictures(&v->features);
  struct scores scores;
  scores_of(v->profile, model->output(), &scores);
  verdict->alert = alert(v, scores.values[v->profile->alert_label]);
  verdict->uncalibrated = correction_is_identity(correction);
  verdict->label = scores.label;
  for (uint8_t i = 0; i < v->profile->label_count; i++) {
    verdict->scores[i] = scores_on_wire(scores.values[i]);
  }
  verdict->latency_us = now_us > time_us ? (uint32_t)(now_us - time_us) : 0;
  verdict->inference_us = (uint32_t)(now_us - began_us);
  return true;
}

bool verdicts_push(struct verdicts *v, const struct mlx90640_constants *constants, const struct correction *correction,
                   const uint16_t ram[RAM_WORDS], uint16_t control, uint8_t number, uint32_t index, uint64_t time_us,
                   struct verdict *verdict) {
  const struct mlx90640_optics optics = {.emissivity = v->profile->camera_emissivity,
                                         .reflected_celsius = v->profile->camera_reflected_celsius};
  struct mlx90640_conditions conditions;
  const bool paired = v->waiting && index - v->waiting_index == 1 && v->waiting_number != number;
  v->waiting = false;
  if (mlx90640_read_conditions(constants, ram, control, number, &conditions) != STATUS_OK) {
    counters_add(v->counters, COUNTER_AUXILIARY_INVALID, 1);
    return false;
  }
  const bool completes = paired && v->waiting_chess == conditions.chess;
  if (!completes) {
    memset(v->valid, 0, sizeof v->valid);
  }
  if (mlx90640_decode(constants, &optics, ram, &conditions, v->celsius, v->valid) != STATUS_OK) {
    counters_add(v->counters, COUNTER_UNDECODABLE, 1);
    return false;
  }
  if (!completes) {
    v->waiting = true;
    v->waiting_number = number;
    v->waiting_chess = conditions.chess;
    v->waiting_index = index;
    return false;
  }
  if (interpolate_invalid(v->celsius, v->valid) != STATUS_OK) {
    counters_add(v->counters, COUNTER_UNDECODABLE, 1);
    return false;
  }
  return judge(v, correction, conditions.ta, index, time_us, verdict);
}

bool verdicts_average(const struct verdicts *v) {
  return v->features.length != 0;
}

bool verdicts_self_test(const struct profile *profile) {
  const struct model_profile *model = profile->model;
  for (size_t i = 0; i < model->test_count; i++) {
    memcpy(model->input(), model->test_input + i * model->test_input_size, model->test_input_size);
    model->invoke();
    if (memcmp(model->output(), model->test_output + i * model->test_output_size, model->test_output_size) != 0) {
      return false;
    }
  }
  return true;
}
