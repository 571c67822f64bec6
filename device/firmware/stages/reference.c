/* float32; level + w (x - level) with w = microseconds that the sample stands for over those learned. */
#include "reference.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "float32.h"
#include "quality.h"

#define NO_PART UINT32_MAX

enum { OF, AMBIENT };

/* What a stage keeps, in its place. */
struct kept {
  struct learned *head;
  int64_t *learned_us; /* of each part */
  float *levels;       /* of each part a row */
  uint32_t elements;
};

static struct kept kept_of(const struct work *work) {
  const struct reference_parameters *parameters = work->call->parameters;
  struct learned *head = stage_keeps(work);
  int64_t *learned_us = (int64_t *)(void *)(head + 1);
  return (struct kept){head, learned_us, (float *)(void *)(learned_us + parameters->bins),
                       stage_signal(work, OF)->elements};
}

/* Which part of the ambient is at hand; NO_PART where nobody knows. */
static uint32_t part_of(const struct work *work) {
  const struct reference_parameters *parameters = work->call->parameters;
  if (work->call->input_count == 1) {
    return 0;
  }
  const float ambient = stage_input(work, AMBIENT)[0];
  if (!float32_is_finite(ambient)) {
    return NO_PART;
  }
  const float last = (float)(parameters->bins - 1);
  const float place = (ambient - parameters->low) * parameters->parts;
  return (uint32_t)(place > 0.0F ? (place < last ? place : last) : 0.0F);
}

/* The part that has learned and is nearest to this one, the lower of two; NO_PART where none has. */
static uint32_t guide_of(const struct kept *kept, uint32_t bins, uint32_t part) {
  for (uint32_t apart = 0; apart < bins; apart++) {
    if (part >= apart && kept->learned_us[part - apart] != 0) {
      return part - apart;
    }
    if (part + apart < bins && kept->learned_us[part + apart] != 0) {
      return part + apart;
    }
  }
  return NO_PART;
}

/* Weight of a sample among those learned. */
static float weight_of(const struct reference_parameters *parameters, int64_t since_us, int64_t learned_us) {
  const int64_t most_us = learned_us < parameters->settled_us ? learned_us : parameters->memory_us;
  const float share = most_us != 0 ? float32_of_signed(since_us) / float32_of_signed(most_us) : 0.0F;
  return share < 1.0F ? share : 1.0F;
}

/* The sample as the level lies; as it is where nothing was learned or nothing is registered. */
static struct registered registered_of(const struct work *work, const struct kept *kept, uint32_t part,
                                       int64_t since_us) {
  const struct reference_parameters *parameters = work->call->parameters;
  const struct registered as_it_is = {.values = stage_input(work, OF), .known = true};
  if (parameters->registration == NULL) {
    return as_it_is;
  }
  const uint32_t guide = guide_of(kept, parameters->bins, part);
  if (guide == NO_PART) {
    return as_it_is;
  }
  float *moved = stage_scratch(work);
  return parameters->registration->find(
      parameters->registration, as_it_is.values, kept->levels + (size_t)guide * kept->elements,
      weight_of(parameters, since_us, kept->learned_us[guide]), moved, moved + kept->elements);
}

static float learned_of(const struct reference_parameters *parameters, float level, float x, float weight, bool early) {
  if (!float32_is_finite(x)) {
    return level;
  }
  if (float32_is_nothing(level)) {
    return x;
  }
  const float limit = parameters->limit;
  const float apart = x - level;
  float pull = apart;
  if (early && limit != 0.0F) {
    pull = apart > limit ? limit : apart < -limit ? -limit : apart;
  }
  const float moved = level + weight * pull;
  return (limit == 0.0F || early || fabsf(apart) <= limit) && float32_is_finite(moved) ? moved : level;
}

static void count_ready(const struct reference_parameters *parameters, const struct kept *kept) {
  kept->head->ready = 0;
  for (uint32_t part = 0; part < parameters->bins; part++) {
    kept->head->ready = (uint16_t)(kept->head->ready + (kept->learned_us[part] >= parameters->least_us ? 1U : 0U));
  }
}

static void learn(const struct work *work, const struct kept *kept, uint32_t part, const float *values,
                  int64_t since_us) {
  const struct reference_parameters *parameters = work->call->parameters;
  struct reference_state *state = work->call->state;
  float *levels = kept->levels + (size_t)part * kept->elements;
  int64_t *learned_us = &kept->learned_us[part];
  const bool early = *learned_us < parameters->least_us;
  *learned_us += since_us;
  const float weight = weight_of(parameters, since_us, *learned_us);
  for (uint32_t i = 0; i < kept->elements; i++) {
    levels[i] = learned_of(parameters, levels[i], values[i], weight, early);
  }
  learner_count(&state->clock, kept->head, work->time_us, since_us);
  count_ready(parameters, kept);
}

/* Of each part of the ambient and each thing that is given. */
struct said {
  const struct registered *at_hand;
  const float *levels; /* of the part at hand */
  int64_t learned_us;
  bool ready;
};

/* Write one of the things it gives; returns where the next one begins. */
static float *give(const struct kept *kept, const struct said *said, enum reference_part what, float *output) {
  const struct registered *at_hand = said->at_hand;
  switch (what) {
    case REFERENCE_DIFFERENCE:
    case REFERENCE_REFERENCE:
      float32_fill_nothing(output, kept->elements);
      for (uint32_t i = 0; said->ready && i < kept->elements; i++) {
        if (what == REFERENCE_REFERENCE) {
          output[i] = said->levels[i];
        } else if (at_hand->known) {
          output[i] = at_hand->values[i] - said->levels[i];
        }
      }
      return output + kept->elements;
    case REFERENCE_HOURS:
      *output = float32_of_signed(said->learned_us / 1000000) / 3600.0F;
      return output + 1;
    case REFERENCE_SAMPLES:
      *output = (float)kept->head->samples;
      return output + 1;
    case REFERENCE_SHIFT:
      output[0] = at_hand->known ? at_hand->down : float32_nothing();
      output[1] = at_hand->known ? at_hand->along : float32_nothing();
      return output + 2;
  }
  return output;
}

static uint16_t go_on(const struct work *work) {
  const struct reference_parameters *parameters = work->call->parameters;
  struct reference_state *state = work->call->state;
  const struct kept kept = kept_of(work);
  float *output = stage_output(work);
  uint16_t trust = 0;
  for (uint32_t i = 0; i < work->call->input_count; i++) {
    trust |= stage_sample(work, i)->flags;
  }
  const int64_t since_us = elapsed_since(&state->clock.elapsed, work->time_us, stage_gap_us(work, OF));
  const uint32_t part = part_of(work);
  if (part == NO_PART) {
    float32_fill_nothing(output, work->signals[work->call->output].elements);
    return 0;
  }
  const struct registered at_hand = registered_of(work, &kept, part, since_us);
  const struct said said = {.at_hand = &at_hand,
                            .levels = kept.levels + (size_t)part * kept.elements,
                            .learned_us = kept.learned_us[part],
                            .ready = kept.learned_us[part] >= parameters->least_us};
  for (uint32_t i = 0; i < parameters->give_count; i++) {
    output = give(&kept, &said, (enum reference_part)parameters->give[i], output);
  }
  if ((trust & QUALITY_DOUBTFUL) == 0 && at_hand.known && float32_any_finite(at_hand.values, kept.elements)) {
    learn(work, &kept, part, at_hand.values, since_us);
  }
  return (uint16_t)((said.ready ? 0 : QUALITY_UNCALIBRATED) | (at_hand.known ? 0 : QUALITY_OUT_OF_DOMAIN));
}

static void reset(const struct work *work) {
  struct reference_state *state = work->call->state;
  elapsed_interrupt(&state->clock.elapsed);
}

static void forget(const struct work *work) {
  const struct reference_parameters *parameters = work->call->parameters;
  struct reference_state *state = work->call->state;
  const struct kept kept = kept_of(work);
  *state = (struct reference_state){0};
  *kept.head = (struct learned){.parts = parameters->bins};
  memset(kept.learned_us, 0, parameters->bins * sizeof kept.learned_us[0]);
  float32_fill_nothing(kept.levels, parameters->bins * kept.elements);
  count_ready(parameters, &kept);
}

static bool is_sound(const struct work *work) {
  const struct reference_parameters *parameters = work->call->parameters;
  const struct kept kept = kept_of(work);
  bool sound = learner_is_sound(kept.head, parameters->bins);
  for (uint32_t part = 0; part < parameters->bins; part++) {
    sound &= learner_is_time(kept.learned_us[part]);
  }
  for (uint32_t i = 0; i < parameters->bins * kept.elements; i++) {
    kept.levels[i] = float32_is_finite(kept.levels[i]) ? kept.levels[i] : float32_nothing();
  }
  count_ready(parameters, &kept);
  return sound;
}

const struct stage reference_stage = {.name = "reference",
                                      .kind = STAGE_RECURSIVE,
                                      .lasting = true,
                                      .go_on = go_on,
                                      .reset = reset,
                                      .forget = forget,
                                      .is_sound = is_sound};
