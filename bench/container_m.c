/* A network that is linked in, and the same as a container at two addresses: bench/container.py gives the data. */
#include "container.h"
#include "data.h"
#include "m4_cost.h"
#include "network_linked.h"

#include <string.h>

#define INPUTS 20U

int main(void);

_Alignas(16) static uint8_t arena[CONTAINER_ARENA];
_Alignas(8) static uint8_t moved[sizeof container_bytes + 8U];
_Alignas(16) static uint8_t room_bytes[CONTAINER_ROOM];
static struct container containers[2];

static void fill(int8_t *input, uint32_t seed) {
  for (uint32_t i = 0; i < NETWORK_LINKED_INPUT_ELEMENTS; i++) {
    seed = seed * 1664525U + 1013904223U;
    input[i] = (int8_t)(seed >> 24);
  }
}

static void linked(uint32_t call) {
  fill(network_linked_input(), call);
  network_linked_invoke();
}

static void as_container(uint32_t which, uint32_t call) {
  fill((int8_t *)arena + container_end(&containers[which], 0, 0)->at, call);
  container_invoke(&containers[which], 0, arena);
}

static void in_flash(uint32_t call) {
  as_container(0, call);
}

static void in_ram(uint32_t call) {
  as_container(1, call);
}

static void filled(uint32_t call) {
  fill((int8_t *)arena, call);
}

int main(void) {
  struct container_host host = {.target = CONTAINER_TARGET,
                                .structures = CONTAINER_STRUCTURES,
                                .offers = host_offers,
                                .offer_count = sizeof host_offers / sizeof *host_offers};
  const struct container_room room = {.at = room_bytes, .bytes = sizeof room_bytes};
  const uint8_t *const places[2] = {container_bytes, moved + 8};
  char sentence[200];
  struct text reason;
  memcpy(moved + 8, container_bytes, sizeof container_bytes);
  memcpy(host.sensors_sha256, sensors_sha256, sizeof host.sensors_sha256);
  start_counting();
  for (uint32_t i = 0; i < 2U; i++) {
    text_begin(&reason, sentence, sizeof sentence);
    if (!container_open(&containers[i], places[i], sizeof container_bytes, &host, &room, &reason) ||
        !container_rehearse(&containers[i], 0, arena, &reason)) {
      say("refused ");
      say(sentence);
      say("\n");
      return 1;
    }
  }
  show("rehearsed", 2);
  uint32_t differing = 0;
  for (uint32_t call = 0; call < INPUTS; call++) {
    linked(call);
    for (uint32_t i = 0; i < 2U; i++) {
      as_container(i, call);
      const struct container_end *output = container_end(&containers[i], 0, 1);
      differing += memcmp(arena + output->at, network_linked_output(), output->elements) != 0;
    }
  }
  show("differing", differing);
  const uint32_t filling = cost(filled, 0, 4);
  show("linked in", cost(linked, 0, 4) - filling);
  show("container in flash", cost(in_flash, 0, 4) - filling);
  show("container in RAM", cost(in_ram, 0, 4) - filling);
  return 0;
}
