/* A container in a slot of flash, whose models, stages, findings and alerts run in place of those that are compiled in:
   image 1 of the image group. The rules are those of the firmware's slots: what was tested and not confirmed gives way
   at the next reset. */
#ifndef MODEL_SLOTS_H
#define MODEL_SLOTS_H

#include "profile.h"
#include "slots.h"
#include "update_slots.h"

struct model_slots {
  struct slots slots;
  const struct model_place *place;
  const struct container_host *host;
  struct container_room room;
  const struct profile *compiled_in;
  struct container container; /* that runs */
  struct profile profile;     /* of it, with the firmware's sensors */
  struct kept_ring kept;
};

/* Begin with the newest container that is confirmed or waits for its trial, that suits, and whose golden vectors give
   what they should; with what is compiled in where there is none. Returns the profile that runs. */
const struct profile *model_slots_open(struct model_slots *models, const struct model_place *place,
                                       const struct container_host *host, const struct profile *compiled_in);

#endif
