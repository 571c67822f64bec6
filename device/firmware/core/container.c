/* Every offset is held against the container's size before it is used once. */
#include "container.h"

#include <string.h>

_Static_assert(sizeof(struct container_header) == 112, "as thermo_quantize.container.layout packs it");
_Static_assert(sizeof(struct container_network) == 28 && sizeof(struct container_end) == 16, "likewise");
_Static_assert(sizeof(struct container_stage) == 32, "likewise");

typedef void container_function(int8_t *arena);

static bool refuse(struct text *reason, const char *why) {
  text_add(reason, why);
  return false;
}

static bool damaged(struct text *reason) {
  return refuse(
      reason,
      "The container's parts contradict each other; make it again with `thermo-quantize firmware --container`.");
}

/* Whether `count` things of `each` bytes lie within, at a multiple of 4. */
static bool lies_within(const struct container_header *header, uint32_t at, uint32_t count, uint32_t each) {
  return at % 4U == 0U && at >= sizeof *header && at <= header->size &&
         (uint64_t)count * each <= (uint64_t)header->size - at;
}

static bool is_function(const struct container_header *header, uint32_t at) {
  return (at & 1U) != 0U && at >= sizeof *header && at < header->size;
}

static const struct container_end *ends_of(const struct container *container, const struct container_network *network) {
  return (const struct container_end *)(const void *)(container->data + network->ends_at);
}

/* Bytes of one golden vector; 0 where ends do not fit the arena. */
static uint32_t test_bytes(const struct container *container, const struct container_network *network) {
  const struct container_end *ends = ends_of(container, network);
  uint64_t bytes = 0;
  for (uint32_t i = 0; i <= network->input_count; i++) {
    if (ends[i].elements == 0U || (uint64_t)ends[i].at + ends[i].elements > network->arena_bytes) {
      return 0;
    }
    bytes += ends[i].elements;
  }
  return bytes <= UINT32_MAX ? (uint32_t)bytes : 0U;
}

static bool network_is_whole(const struct container *container, const struct container_network *network) {
  const struct container_header *header = container->header;
  if (!is_function(header, network->invoke_at) ||
      (network->reset_at != 0U && !is_function(header, network->reset_at)) ||
      network->arena_bytes > header->arena_bytes || network->input_count == 0U ||
      network->input_count > CONTAINER_MOST_INPUTS ||
      !lies_within(header, network->ends_at, network->input_count + 1U, sizeof(struct container_end))) {
    return false;
  }
  const uint32_t bytes = test_bytes(container, network);
  return bytes > 0U && lies_within(header, network->tests_at, network->test_count, bytes);
}

static const uint32_t *addresses_of(const struct container *container) {
  return (const uint32_t *)(const void *)(container->data + container->header->addresses_at);
}

/* Whether each word that becomes an address is one of what there is. */
static bool addresses_are_whole(const struct container *container) {
  const struct container_header *header = container->header;
  for (uint32_t i = 0; i < header->address_count; i++) {
    const uint32_t at = addresses_of(container)[i];
    if (at % 4U != 0U || at >= header->tables_bytes) {
      return false;
    }
    uint32_t word;
    memcpy(&word, container->data + header->tables_at + at, sizeof word);
    const uint32_t far = word & CONTAINER_FAR;
    const uint32_t ends[] = {header->size, header->room_bytes, header->stage_count, 0U};
    if (far >= ends[word >> CONTAINER_KIND_SHIFT]) {
      return false;
    }
  }
  return true;
}

static bool tables_are_whole(const struct container *container) {
  const struct container_header *header = container->header;
  return header->tables_bytes % 4U == 0U && lies_within(header, header->tables_at, header->tables_bytes, 1U) &&
         header->room_bytes >= header->tables_bytes && header->profile_at % 4U == 0U &&
         header->profile_at < header->tables_bytes &&
         lies_within(header, header->addresses_at, header->address_count, sizeof(uint32_t)) &&
         addresses_are_whole(container);
}

static bool is_whole(const struct container *container) {
  const struct container_header *header = container->header;
  if (header->network_count == 0U ||
      !lies_within(header, header->networks_at, header->network_count, sizeof(struct container_network)) ||
      !lies_within(header, header->stages_at, header->stage_count, sizeof(struct container_stage)) ||
      !tables_are_whole(container)) {
    return false;
  }
  for (uint32_t i = 0; i < header->network_count; i++) {
    if (!network_is_whole(container, &container->networks[i])) {
      return false;
    }
  }
  return true;
}

/* Whether it is a name that a sentence may show, with its zero byte. */
static bool is_name(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++) {
    const char letter = text[i];
    if (letter == '\0') {
      return i > 0U;
    }
    if (!((letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '_' || letter == '-')) {
      return false;
    }
  }
  return false;
}

static const struct container_stage *stages_of(const struct container *container) {
  return (const struct container_stage *)(const void *)(container->data + container->header->stages_at);
}

static const struct container_offer *find(const struct container_host *host, const char *name) {
  for (size_t i = 0; i < host->offer_count; i++) {
    if (strcmp(host->offers[i].stage.name, name) == 0) {
      return &host->offers[i];
    }
  }
  return NULL;
}

static bool stages_suit(const struct container *container, const struct container_host *host, struct text *reason) {
  for (uint32_t i = 0; i < container->header->stage_count; i++) {
    const struct container_stage *stage = &stages_of(container)[i];
    if (!is_name(stage->name, sizeof stage->name)) {
      return damaged(reason);
    }
    const struct container_offer *offer = find(host, stage->name);
    if (offer == NULL) {
      text_add(reason, "The model needs the stage \"");
      text_add(reason, stage->name);
      return refuse(reason, "\", which this firmware does not have; build the firmware with this bundle.");
    }
    if (memcmp(stage->mark, offer->stage.mark, sizeof stage->mark) != 0) {
      text_add(reason, "The stage \"");
      text_add(reason, stage->name);
      return refuse(reason, "\" of this firmware is of another version; make both with one version of thermo-edge.");
    }
  }
  return true;
}

static bool too_much(struct text *reason, uint32_t needs, const char *of, uint32_t has) {
  text_add(reason, "The model needs ");
  text_add_unsigned(reason, needs);
  text_add(reason, of);
  text_add_unsigned(reason, has);
  return refuse(reason, "; make it smaller, or build the firmware with it.");
}

static bool suits(const struct container *container, const struct container_host *host,
                  const struct container_room *room, struct text *reason) {
  const struct container_header *header = container->header;
  if (strcmp(header->target, host->target) != 0) {
    text_add(reason, "The model was compiled for ");
    text_add(reason, header->target);
    text_add(reason, ", this firmware runs on ");
    text_add(reason, host->target);
    return refuse(reason, "; compile it for that.");
  }
  if (header->structures != host->structures) {
    return refuse(reason,
                  "The model and this firmware are of different versions; make both with one version of thermo-edge.");
  }
  if (memcmp(header->sensors_sha256, host->sensors_sha256, sizeof host->sensors_sha256) != 0) {
    return refuse(reason,
                  "The model is for other sensors, or for other settings of them; build the firmware with its bundle.");
  }
  if (!stages_suit(container, host, reason)) {
    return false;
  }
  if (header->room_bytes > room->bytes) {
    return too_much(reason, header->room_bytes, " bytes of memory and this firmware has ", room->bytes);
  }
  if (header->kept_bytes > room->kept_bytes) {
    return too_much(reason, header->kept_bytes, " bytes for findings that are kept and this firmware has ",
                    room->kept_bytes);
  }
  return true;
}

bool container_open(struct container *container, const uint8_t *data, size_t size, const struct container_host *host,
                    const struct container_room *room, struct text *reason) {
  const struct container_header *header = (const struct container_header *)(const void *)data;
  if ((uintptr_t)data % CONTAINER_ALIGNMENT != 0U || size < sizeof *header || header->magic != CONTAINER_MAGIC) {
    return refuse(reason, "This is no container of a model; make one with `thermo-quantize firmware --container`.");
  }
  if (header->abi != CONTAINER_ABI) {
    text_add(reason, "The container has ABI ");
    text_add_unsigned(reason, header->abi);
    text_add(reason, " and this firmware speaks ");
    text_add_unsigned(reason, CONTAINER_ABI);
    return refuse(reason, "; make both with one version of thermo-edge.");
  }
  if (header->size < sizeof *header || header->size > size) {
    return refuse(reason, "The container is cut; send it again.");
  }
  if (!is_name(header->target, sizeof header->target) ||
      !lies_within(header, header->networks_at, header->network_count, sizeof(struct container_network))) {
    return damaged(reason);
  }
  *container = (struct container){
      .data = data,
      .header = header,
      .networks = (const struct container_network *)(const void *)(data + header->networks_at),
  };
  return is_whole(container) ? suits(container, host, room, reason) : damaged(reason);
}

const struct container_end *container_end(const struct container *container, uint32_t network, uint32_t number) {
  return ends_of(container, &container->networks[network]) + number;
}

static container_function *function_at(const struct container *container, uint32_t at) {
  return (container_function *)((uintptr_t)container->data + at);
}

void container_invoke(const struct container *container, uint32_t network, uint8_t *arena) {
  function_at(container, container->networks[network].invoke_at)((int8_t *)arena);
}

void container_reset(const struct container *container, uint32_t network, uint8_t *arena) {
  if (container->networks[network].reset_at != 0U) {
    function_at(container, container->networks[network].reset_at)((int8_t *)arena);
  }
}

/* One golden vector; whether the output is as wanted. */
static bool gives_what_it_should(const struct container *container, uint32_t number, uint8_t *arena,
                                 const uint8_t *vector) {
  const struct container_network *network = &container->networks[number];
  const struct container_end *ends = ends_of(container, network);
  container_reset(container, number, arena);
  for (uint32_t i = 0; i < network->input_count; i++) {
    memcpy(arena + ends[i].at, vector, ends[i].elements);
    vector += ends[i].elements;
  }
  container_invoke(container, number, arena);
  const struct container_end *output = ends + network->input_count;
  return memcmp(arena + output->at, vector, output->elements) == 0;
}

bool container_rehearse(const struct container *container, uint32_t network, uint8_t *arena, struct text *reason) {
  const struct container_network *one = &container->networks[network];
  const uint32_t bytes = test_bytes(container, one);
  for (uint32_t test = 0; test < one->test_count; test++) {
    if (!gives_what_it_should(container, network, arena, container->data + one->tests_at + test * bytes)) {
      text_add(reason, "Network ");
      text_add_unsigned(reason, network);
      text_add(reason, " does not give what it should for golden vector ");
      text_add_unsigned(reason, test);
      return refuse(reason, "; load it anew.");
    }
  }
  return true;
}

bool container_fits(const struct container *container, uint32_t network, const struct container_place *place) {
  const struct container_network *one = &container->networks[network];
  const struct container_end *ends = ends_of(container, one);
  bool same = one->arena_bytes <= place->bytes && one->input_count == place->input_count;
  for (uint32_t i = 0; same && i <= place->input_count; i++) {
    same = ends[i].elements == place->elements[i];
  }
  return same;
}

/* What a word of the tables means in this firmware. */
static uint32_t address_of(const struct container *container, const struct container_host *host,
                           const struct container_room *room, uint32_t word) {
  const uint32_t far = word & CONTAINER_FAR;
  switch (word >> CONTAINER_KIND_SHIFT) {
    case CONTAINER_OF_ITSELF:
      return (uint32_t)(uintptr_t)container->data + far;
    case CONTAINER_OF_ROOM:
      return (uint32_t)(uintptr_t)room->at + far;
    default:
      return (uint32_t)(uintptr_t)find(host, stages_of(container)[far].name)->what;
  }
}

const void *container_load(const struct container *container, const struct container_host *host,
                           const struct container_room *room) {
  const struct container_header *header = container->header;
  memcpy(room->at, container->data + header->tables_at, header->tables_bytes);
  memset(room->at + header->tables_bytes, 0, header->room_bytes - header->tables_bytes);
  for (uint32_t i = 0; i < header->address_count; i++) {
    uint8_t *const at = room->at + addresses_of(container)[i];
    uint32_t word;
    memcpy(&word, at, sizeof word);
    word = address_of(container, host, room, word);
    memcpy(at, &word, sizeof word);
  }
  return room->at + header->profile_at;
}
