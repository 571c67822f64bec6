/* float32; copies summed in their order, over their number; the first of equal scores. */
#include "foster.h"

#include "float32.h"

/* A part of the network: logarithm of its time constant, and share, as said. */
struct part {
  float log;
  float share;
};

static uint32_t first_greatest(const float *scores, uint32_t count) {
  uint32_t greatest = 0;
  for (uint32_t i = 1; i < count; i++) {
    greatest = scores[i] > scores[greatest] ? i : greatest;
  }
  return greatest;
}

/* In ascending order of time constants; equal ones stay in theirs. */
static void sort(struct part *parts, uint32_t count) {
  for (uint32_t i = 1; i < count; i++) {
    const struct part moved = parts[i];
    uint32_t at = i;
    for (; at > 0 && parts[at - 1U].log > moved.log; at--) {
      parts[at] = parts[at - 1U];
    }
    parts[at] = moved;
  }
}

static uint16_t apply(const struct work *work) {
  const struct foster_parameters *parameters = work->call->parameters;
  const uint32_t most = parameters->parts;
  const uint32_t places = most * (most + 1U) / 2U;
  const float *said = stage_input(work, 0);
  const float *shares = said + places;
  const float *scores = shares + places;
  const float *copies = scores + most;
  float *output = stage_output(work);
  float32_fill_nothing(output, 1U + 2U * most);
  if (float32_any_nothing(said, stage_signal(work, 0)->elements)) {
    return 0;
  }
  const uint32_t count = first_greatest(scores, most) + 1U;
  const uint32_t first = count * (count - 1U) / 2U;
  struct part parts[FOSTER_MAX_PARTS];
  for (uint32_t i = 0; i < count; i++) {
    float sum = 0.0F + said[first + i];
    for (uint32_t copy = 0; copy + 1U < parameters->copies; copy++) {
      sum += copies[copy * places + first + i];
    }
    parts[i] = (struct part){.log = sum / (float)parameters->copies, .share = shares[first + i]};
  }
  sort(parts, count);
  output[0] = (float)count;
  for (uint32_t i = 0; i < count; i++) {
    output[1U + i] = float32_exp(parameters->log_centre + parts[i].log * parameters->log_spread);
    output[1U + most + i] = (parts[i].share + 1.0F) * 0.5F;
  }
  return 0;
}

const struct stage foster_stage = {.name = "foster", .kind = STAGE_ELEMENTWISE, .apply = apply};
