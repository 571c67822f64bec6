#include "model_slots.h"

#include "boot/choice.h"
#include "network.h"

#define SENTENCE_BYTES 200

/* Where in memory an image's payload lies. */
static const uint8_t *address_of(const struct model_place *place, const struct flash_span *payload) {
  const struct slot_pair *pair = place->pair;
  for (int slot = 0; slot < SLOTS; slot++) {
    const struct flash_span whole = slot_whole(pair, slot);
    if (payload->at >= whole.at && payload->at - whole.at < whole.size) {
      return place->at[slot] + (payload->at - whole.at);
    }
  }
  return NULL;
}

/* Of an image that came in whole and is verified. Its golden vectors are run when it starts: their memory is the
 * graph's. */
static bool suits(void *context, const struct flash_span *payload, const struct image *image, struct text *reason) {
  const struct model_slots *models = context;
  struct container container;
  (void)image;
  return container_open(&container, address_of(models->place, payload), payload->size, models->host, reason);
}

static bool starts(struct model_slots *models, const struct choice *choice) {
  char sentence[SENTENCE_BYTES];
  struct text reason;
  text_begin(&reason, sentence, sizeof sentence);
  const struct flash_span place = slot_place(models->slots.pair, choice->slot);
  const struct flash_span payload = image_payload(&place, &choice->image);
  return (choice->way == CHOICE_CONFIRMED || choice->way == CHOICE_TRIAL) &&
         choice_note(&models->slots, choice) == STATUS_OK &&
         container_open(&models->container, address_of(models->place, &payload), payload.size, models->host, &reason) &&
         container_rehearse(&models->container, models->host, &reason);
}

void model_slots_open(struct model_slots *models, const struct model_place *place, const struct profile *profile) {
  *models = (struct model_slots){.place = place, .host = profile->container};
  slots_open(&models->slots, place->pair, SLOTS_NONE);
  models->slots.suits = suits;
  models->slots.context = models;
  struct choice choice = choice_make(&models->slots);
  bool started = choice.way != CHOICE_NONE && starts(models, &choice);
  if (!started && choice.way == CHOICE_TRIAL) { /* which it failed: the one before goes on */
    choice = choice_make(&models->slots);
    started = choice.way != CHOICE_NONE && starts(models, &choice);
  }
  for (uint32_t i = 0; started && i < profile->model_count; i++) {
    *profile->networks[i]->given = (struct network_given){.container = &models->container, .number = i};
  }
  models->slots.running = started ? choice.slot : SLOTS_NONE;
}
