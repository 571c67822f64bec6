/* From subpages to verdicts: decode, correct, features, network, alert rule. */
#ifndef VERDICTS_H
#define VERDICTS_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "correction.h"
#include "counters.h"
#include "feature_extractor.h"
#include "mlx90640_constants.h"
#include "mlx90640_decode.h"
#include "profile.h"

/* Room that making a verdict needs. */
struct verdict_scratch {
  int32_t order[PIXELS];
};

/* What the network said of one picture. Scores are the output's dequantised values in 1/65535, 0 to 1. */
struct verdict {
  uint64_t time_us;
  uint32_t index; /* of the newest subpage */
  uint8_t pictures;
  bool alert;
  bool uncalibrated;
  uint8_t label;
  uint16_t scores[PROFILE_MAX_LABELS];
  uint32_t latency_us; /* end of the capture to the verdict */
  uint32_t inference_us;
};

struct verdicts {
  const struct board *board;
  struct counters *counters;
  const struct profile *profile;
  struct verdict_scratch *scratch;
  struct features features;
  float celsius[PIXELS]; /* half of a picture, or all of it */
  uint32_t valid[ROWS];
  bool waiting; /* one subpage is decoded and waits for the other */
  uint8_t waiting_number;
  bool waiting_chess;
  uint32_t waiting_index;
  bool has_last;
  uint32_t last_index; /* of the last picture */
  uint16_t in_a_row;   /* verdicts that reached the threshold */
};

/* Returns ARGUMENT where the profile averages more pictures than there is room for; then there is never a verdict. */
enum status verdicts_init(struct verdicts *verdicts, const struct board *board, struct counters *counters,
                          const struct profile *profile, struct verdict_scratch *scratch);

/* Forget all pictures, as after a change of sensor or calibration. */
void verdicts_reset(struct verdicts *verdicts);

/* Take one subpage; true where it completes a picture and `verdict` is what the network says. What cannot be used is
   counted and left out. */
bool verdicts_push(struct verdicts *verdicts, const struct mlx90640_constants *constants,
                   const struct correction *correction, const uint16_t ram[RAM_WORDS], uint16_t control, uint8_t number,
                   uint32_t index, uint64_t time_us, struct verdict *verdict);

/* Whether the profile's mean has room. */
bool verdicts_average(const struct verdicts *verdicts);

/* Run the golden inputs: whether the network gives the outputs that the reference kernels gave. */
bool verdicts_self_test(const struct profile *profile);

#endif
