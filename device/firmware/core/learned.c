/* "TLRN", u8 version, u8 stages, u16 0; of each stage its key, u32 basis, u32 bytes, these bytes; u32 CRC-32. */
#include "learned.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"

#define VERSION 1U
#define HEAD_BYTES 8U
#define ENTRY_BYTES (LEARNING_KEY_BYTES + 8U)
#define CRC_BYTES 4U
#define LEAST (HEAD_BYTES + CRC_BYTES)
#define STEP_BYTES 64U

static const uint8_t magic[4] = {'T', 'L', 'R', 'N'};

/* A window of the packed bytes that is filled as they are gone through. */
struct window {
  uint8_t *to;
  size_t at, size; /* first byte wanted, and how many */
  size_t passed;   /* bytes gone through */
};

static void pass(struct window *window, const uint8_t *data, size_t size) {
  const size_t begin = window->passed;
  const size_t end = begin + size;
  const size_t from = begin > window->at ? begin : window->at;
  const size_t to = end < window->at + window->size ? end : window->at + window->size;
  if (from < to) {
    memcpy(window->to + (from - window->at), data + (from - begin), to - from);
  }
  window->passed = end;
}

/* Copy packed bytes from `at` on; those of the CRC are `crc`. */
static void copy(const struct learning *learning, size_t at, uint8_t *to, size_t size, uint32_t crc) {
  const struct graph *graph = learning->state->graph;
  const struct graph_plan *plan = graph->plan;
  struct window window = {.to = to, .at = at, .size = size};
  uint8_t head[ENTRY_BYTES] = {0};
  memcpy(head, magic, sizeof magic);
  head[4] = VERSION;
  head[5] = plan->learning_count;
  pass(&window, head, HEAD_BYTES);
  for (uint8_t i = 0; i < plan->learning_count; i++) {
    const struct learning_place *place = &plan->learnings[i];
    memcpy(head, place->key, LEARNING_KEY_BYTES);
    store_le32(head + LEARNING_KEY_BYTES, learning->bases[i]);
    store_le32(head + LEARNING_KEY_BYTES + 4, place->bytes);
    pass(&window, head, ENTRY_BYTES);
    pass(&window, graph_learned(graph, place), place->bytes);
  }
  store_le32(head, crc);
  pass(&window, head, CRC_BYTES);
}

static uint32_t crc_now(const struct learning *learning) {
  uint8_t part[STEP_BYTES];
  const size_t end = learning->bytes - CRC_BYTES;
  uint32_t crc = 0;
  for (size_t at = 0; at < end; at += sizeof part) {
    const size_t step = end - at < sizeof part ? end - at : sizeof part;
    copy(learning, at, part, step, 0);
    crc = crc32_update(crc, part, step);
  }
  return crc;
}

static bool holds(const void *context, const struct flash_span *data) {
  (void)context;
  uint8_t head[HEAD_BYTES];
  uint8_t crc[CRC_BYTES];
  flash_span_read(data, 0, head, sizeof head);
  flash_span_read(data, data->size - sizeof crc, crc, sizeof crc);
  return memcmp(head, magic, sizeof magic) == 0 && head[4] == VERSION &&
         load_le32(crc) == flash_span_crc(data, data->size - CRC_BYTES);
}

/* Number of the stage whose key this is, of so many bytes; that of the stages where there is none. */
static uint8_t place_of(const struct graph_plan *plan, const uint8_t *entry) {
  uint8_t i = 0;
  while (i < plan->learning_count && (memcmp(plan->learnings[i].key, entry, LEARNING_KEY_BYTES) != 0 ||
                                      plan->learnings[i].bytes != load_le32(entry + LEARNING_KEY_BYTES + 4))) {
    i++;
  }
  return i;
}

/* Know what one entry says; false where no stage can. */
static bool load_entry(const struct learning *learning, const struct flash_span *data, size_t at,
                       const uint8_t *entry) {
  const struct graph *graph = learning->state->graph;
  const uint8_t number = place_of(graph->plan, entry);
  if (number == graph->plan->learning_count) {
    return false;
  }
  const struct learning_place *place = &graph->plan->learnings[number];
  flash_span_read(data, at, graph_learned(graph, place), place->bytes);
  if (!graph_learned_is_sound(graph, place)) {
    graph_forget(graph, place);
    return false;
  }
  learning->bases[number] = load_le32(entry + LEARNING_KEY_BYTES);
  return true;
}

/* Know what flash says; how many entries say something that no stage can know. */
static uint32_t load(const struct learning *learning, const struct flash_span *data) {
  uint8_t head[HEAD_BYTES];
  uint8_t entry[ENTRY_BYTES];
  struct learned learned;
  uint32_t unfit = 0;
  const size_t end = data->size - CRC_BYTES;
  flash_span_read(data, 0, head, sizeof head);
  size_t at = HEAD_BYTES;
  for (uint8_t i = 0; i < head[5] && end - at >= ENTRY_BYTES; i++) {
    flash_span_read(data, at, entry, sizeof entry);
    at += ENTRY_BYTES;
    const size_t size = load_le32(entry + LEARNING_KEY_BYTES + 4);
    if (size > end - at) {
      return unfit + 1U;
    }
    memset(&learned, 0, sizeof learned);
    flash_span_read(data, at, &learned, size < sizeof learned ? size : sizeof learned);
    if (!load_entry(learning, data, at, entry) && learned.samples > 0) {
      unfit++;
    }
    at += size;
  }
  return unfit;
}

/* Most bytes that areas have room for which are large enough for these: what another wearable kept there is read, and
   told. */
static size_t room_of(const struct flash *flash, size_t bytes) {
  if (flash->block_size <= FLASH_MOST_UNIT) {
    return bytes;
  }
  const size_t blocks = (bytes + FLASH_MOST_UNIT + flash->block_size - 1U) / flash->block_size;
  const size_t room = blocks * flash->block_size - FLASH_MOST_UNIT;
  return room < UINT16_MAX ? room : bytes;
}

static size_t open_learned(const struct learning *learning, const struct graph *graph, const struct flash *flash,
                           size_t first_block, size_t end_block, uint64_t now_us, uint32_t *unfit) {
  struct learned_state *state = learning->state;
  memset(state, 0, sizeof *state);
  memset(learning->bases, 0, graph->plan->learning_count * sizeof learning->bases[0]);
  state->graph = graph;
  state->due_us = now_us + LEARNED_FIRST_US;
  state->kind = (struct store_kind){.least = LEAST, .most = room_of(flash, learning->bytes), .holds = holds};
  store_open(&state->store, flash, &state->kind, first_block, end_block);
  *unfit = state->store.damaged ? 1U : 0U;
  const struct flash_span kept = store_get(&state->store, STORE_CURRENT);
  state->stored_crc = crc_now(learning); /* of nothing learned */
  if (kept.size > 0) {
    uint8_t crc[CRC_BYTES];
    flash_span_read(&kept, kept.size - sizeof crc, crc, sizeof crc);
    state->stored_crc = load_le32(crc);
    *unfit += load(learning, &kept);
  }
  return store_blocks(&state->store);
}

static bool write(const struct learning *learning, uint32_t crc) {
  struct store *store = &learning->state->store;
  uint8_t part[STEP_BYTES];
  for (size_t at = 0; at < learning->bytes; at += sizeof part) {
    const size_t step = learning->bytes - at < sizeof part ? learning->bytes - at : sizeof part;
    copy(learning, at, part, step, crc);
    if (store_write(store, at, learning->bytes, part, step) != STATUS_OK) {
      return false;
    }
  }
  return store_commit(store) == STATUS_OK;
}

static bool keep(const struct learning *learning, uint64_t now_us, bool at_once) {
  struct learned_state *state = learning->state;
  if (!at_once && now_us < state->due_us) {
    return !state->problem;
  }
  state->due_us = now_us + LEARNED_EVERY_US;
  const uint32_t crc = crc_now(learning);
  if (crc != state->stored_crc || state->problem) {
    state->problem = !write(learning, crc);
    state->stored_crc = crc;
  }
  return !state->problem;
}

/* How the sensors of a stage measure; 0 where that is not known of each. */
static uint32_t basis_of(const struct learning_place *place, const struct learned_measure *measures) {
  uint8_t bytes[8];
  uint32_t crc = 0;
  for (uint8_t i = 0; i < place->sensor_count; i++) {
    const struct learned_measure *measure = &measures[place->sensors[i]];
    if (!measure->known) {
      return 0;
    }
    store_le32(bytes, measure->constants);
    store_le32(bytes + 4, measure->correction);
    crc = crc32_update(crc, bytes, sizeof bytes);
  }
  return crc != 0 ? crc : 1U;
}

static bool rests_on(const struct learning_place *place, uint8_t sensor) {
  return memchr(place->sensors, sensor, place->sensor_count) != NULL;
}

static uint32_t measured(const struct learning *learning, uint8_t sensor, const struct learned_measure *measures) {
  const struct graph *graph = learning->state->graph;
  uint32_t forgotten = 0;
  for (uint8_t i = 0; i < graph->plan->learning_count; i++) {
    const struct learning_place *place = &graph->plan->learnings[i];
    const uint32_t basis = rests_on(place, sensor) ? basis_of(place, measures) : 0;
    const struct learned *learned = graph_learned(graph, place);
    if (basis == 0) {
      continue;
    }
    if (learning->bases[i] != 0 && learning->bases[i] != basis && learned->samples > 0) {
      graph_forget(graph, place);
      forgotten++;
    }
    learning->bases[i] = basis;
  }
  return forgotten;
}

static bool forget(const struct learning *learning, uint32_t signal) {
  const struct graph *graph = learning->state->graph;
  bool any = signal == LEARNED_ALL;
  for (uint8_t i = 0; i < graph->plan->learning_count; i++) {
    const struct learning_place *place = &graph->plan->learnings[i];
    if (signal == LEARNED_ALL || graph->plan->calls[place->call].output == signal) {
      graph_forget(graph, place);
      any = true;
    }
  }
  return any;
}

static void read_packed(const struct learning *learning, size_t at, uint8_t *to, size_t size) {
  if (at == 0) {
    learning->state->read_crc = crc_now(learning);
  }
  copy(learning, at, to, size, learning->state->read_crc);
}

const struct learning_operations learned_operations = {
    .open = open_learned,
    .keep = keep,
    .measured = measured,
    .forget = forget,
    .read = read_packed,
    .unfit = "What was learned of the wearer does not fit this wearable's profile; it is learned anew.",
    .other_sensors = "What was learned of the wearer was of other sensors or corrections; it is learned anew.",
    .no_room = "The flash has no room for what is learned of the wearer; it lasts until the next reset.",
    .not_kept = "The flash does not keep what is learned of the wearer; have the device checked.",
    .not_forgotten = "It is forgotten until the next reset; the flash does not keep that. Have the device checked."};
