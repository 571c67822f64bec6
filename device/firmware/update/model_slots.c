#include "model_slots.h"

#include <string.h>

#include "boot/choice.h"
#include "network.h"

#define SENTENCE_BYTES 200

/* Of the linker's script: where the compiled-in graph keeps what it keeps, and what is spare. */
extern uint8_t model_room_start[];
extern uint8_t model_room_end[];

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

static bool opens(struct model_slots *models, struct container *container, const struct flash_span *payload,
                  struct text *reason) {
  return container_open(container, address_of(models->place, payload), payload->size, models->host, &models->room,
                        reason);
}

/* Of an image that came in whole and is verified. Its golden vectors are run when it starts: their memory is the
 * graph's. */
static bool suits(void *context, const struct flash_span *payload, const struct image *image, struct text *reason) {
  struct container container;
  (void)image;
  return opens(context, &container, payload, reason);
}

/* Whether each network is what the graph wants, and gives what it should. */
static bool networks_are_well(const struct model_slots *models, const struct profile *given, struct text *reason) {
  bool well = given->model_count == models->container.header->network_count;
  for (uint32_t i = 0; well && i < given->model_count; i++) {
    const struct container_place *place = &given->networks[i]->place;
    well =
        container_fits(&models->container, i, place) && container_rehearse(&models->container, i, place->arena, reason);
  }
  return well;
}

/* The container's profile, with the sensors and the memory for kept findings that the firmware has. */
static void merge(struct model_slots *models, const struct profile *given) {
  const struct profile *own = models->compiled_in;
  models->profile = *given;
  models->profile.sensors = own->sensors;
  models->profile.sensor_count = own->sensor_count;
  models->profile.switchboard = own->switchboard;
  if (given->kept != NULL) {
    models->kept = *own->kept;
    models->kept.models = given->kept->models;
    models->profile.kept = &models->kept;
  }
}

static bool starts(struct model_slots *models, const struct choice *choice) {
  char sentence[SENTENCE_BYTES];
  struct text reason;
  text_begin(&reason, sentence, sizeof sentence);
  if ((choice->way != CHOICE_CONFIRMED && choice->way != CHOICE_TRIAL) ||
      choice_note(&models->slots, choice) != STATUS_OK) {
    return false;
  }
  const struct flash_span place = slot_place(models->slots.pair, choice->slot);
  const struct flash_span payload = image_payload(&place, &choice->image);
  if (!opens(models, &models->container, &payload, &reason)) {
    return false;
  }
  const struct profile *given = container_load(&models->container, models->host, &models->room);
  if (!networks_are_well(models, given, &reason)) {
    return false;
  }
  given = container_load(&models->container, models->host, &models->room); /* as before the rehearsal */
  for (uint32_t i = 0; i < given->model_count; i++) {
    *given->networks[i]->given = (struct network_given){.container = &models->container, .number = i};
  }
  merge(models, given);
  return true;
}

const struct profile *model_slots_open(struct model_slots *models, const struct model_place *place,
                                       const struct container_host *host, const struct profile *compiled_in) {
  *models = (struct model_slots){
      .place = place,
      .host = host,
      .room = {.at = model_room_start,
               .bytes = (uint32_t)((uintptr_t)model_room_end - (uintptr_t)model_room_start),
               .kept_bytes = compiled_in->kept != NULL ? compiled_in->kept->capacity : 0U},
      .compiled_in = compiled_in,
  };
  slots_open(&models->slots, place->pair, SLOTS_NONE);
  models->slots.suits = suits;
  models->slots.context = models;
  struct choice choice = choice_make(&models->slots);
  bool started = starts(models, &choice);
  if (!started) { /* the one before goes on */
    choice = choice_fallback(&models->slots, &choice);
    started = starts(models, &choice);
  }
  models->slots.running = started ? choice.slot : SLOTS_NONE;
  if (!started) {
    memset(models->room.at, 0, models->room.bytes);
  }
  return started ? &models->profile : compiled_in;
}
