/* Three areas of flash in turn. Each ends with a word that says it holds something, how long, and how new; it is
   programmed last. Of the areas whose content holds, the newest is current and the next previous; an area that an erase
   or a program left in pieces is as good as empty.

   The word: u16 sequence, u16 length, u32 CRC-32 of the content's last 4 bytes and these 4; ones up to a whole unit. */
#include "store.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"

#define WORD 8U
#define COPY_BYTES 64U

static size_t area_offset(const struct store *store, size_t area) {
  return (store->first_block + area * store->area_blocks) * store->flash->block_size;
}

static struct flash_span content_of(const struct store *store, size_t area, size_t size) {
  return (struct flash_span){store->flash, area_offset(store, area), size};
}

static size_t commit_at(const struct store *store) {
  return store->area_blocks * store->flash->block_size - store->unit;
}

static uint32_t word_crc(const uint8_t *word, const struct flash_span *content) {
  uint8_t last[4];
  flash_span_read(content, content->size - sizeof last, last, sizeof last);
  return crc32_update(crc32_update(0, last, sizeof last), word, 4);
}

/* What an area's last word says, and its content; false where it says nothing. */
static bool read_word(const struct store *store, size_t area, uint16_t *sequence, struct flash_span *content) {
  uint8_t word[WORD];
  flash_read(store->flash, area_offset(store, area) + commit_at(store), word, sizeof word);
  *sequence = load_le16(word);
  *content = content_of(store, area, load_le16(word + 2));
  return content->size >= store->kind->least && content->size <= store->kind->most &&
         load_le32(word + 4) == word_crc(word, content);
}

static bool is_newer(uint16_t sequence, uint16_t than) {
  return (int16_t)(uint16_t)(sequence - than) > 0;
}

static bool holds(const struct store *store, const struct flash_span *content) {
  return store->kind->holds(store->kind->context, content);
}

/* Rank the areas. */
static void scan(struct store *store) {
  uint16_t sequences[2] = {0, 0};
  bool any = false;
  store->slots[STORE_CURRENT] = store->slots[STORE_PREVIOUS] = -1;
  store->damaged = false;
  for (int8_t area = 0; area < STORE_AREAS; area++) {
    uint16_t sequence;
    struct flash_span content;
    if (!read_word(store, (size_t)area, &sequence, &content)) {
      continue;
    }
    bool newest = !any || is_newer(sequence, store->sequence);
    bool whole = holds(store, &content);
    if (newest) {
      store->sequence = sequence;
      store->damaged = !whole;
      any = true;
    }
    if (!whole) {
      continue;
    }
    if (store->slots[STORE_CURRENT] < 0 || is_newer(sequence, sequences[STORE_CURRENT])) {
      store->slots[STORE_PREVIOUS] = store->slots[STORE_CURRENT];
      sequences[STORE_PREVIOUS] = sequences[STORE_CURRENT];
      store->slots[STORE_CURRENT] = area;
      sequences[STORE_CURRENT] = sequence;
    } else if (store->slots[STORE_PREVIOUS] < 0 || is_newer(sequence, sequences[STORE_PREVIOUS])) {
      store->slots[STORE_PREVIOUS] = area;
      sequences[STORE_PREVIOUS] = sequence;
    }
  }
}

void store_open(struct store *store, const struct flash *flash, const struct store_kind *kind, size_t first_block,
                size_t end_block) {
  memset(store, 0, sizeof *store);
  store->flash = flash;
  store->kind = kind;
  store->first_block = first_block;
  store->slots[STORE_CURRENT] = store->slots[STORE_PREVIOUS] = -1;
  store->incoming = -1;
  if (!flash_is_usable(flash) || flash->block_size % WORD != 0 || end_block > flash->block_count ||
      first_block > end_block) {
    return;
  }
  store->unit = flash->prog_size > WORD ? flash->prog_size : WORD;
  /* its content in whole units, and the last word */
  const size_t units = (kind->most + store->unit - 1U) / store->unit + 1U;
  const size_t blocks = (units * store->unit + flash->block_size - 1U) / flash->block_size;
  if (blocks <= (end_block - first_block) / STORE_AREAS) {
    store->area_blocks = blocks;
    scan(store);
  }
}

size_t store_blocks(const struct store *store) {
  return STORE_AREAS * store->area_blocks;
}

struct flash_span store_get(const struct store *store, enum store_slot slot) {
  uint16_t sequence;
  struct flash_span content = {.flash = store->flash};
  const int8_t area = store->slots[slot];
  if (area < 0 || !read_word(store, (size_t)area, &sequence, &content)) {
    content.size = 0;
  }
  return content;
}

/* Erase up to and with the block that holds byte `at` of the incoming area. */
static bool erase_to(struct store *store, size_t at) {
  while (store->erased_blocks * store->flash->block_size <= at) {
    const size_t block = store->first_block + (size_t)store->incoming * store->area_blocks + store->erased_blocks;
    if (store->flash->erase(store->flash->context, block) != STATUS_OK) {
      return false;
    }
    store->erased_blocks++;
  }
  return true;
}

/* Program whole units within a block. */
static bool program(struct store *store, size_t at, const uint8_t *data, size_t size) {
  return erase_to(store, at + size - 1U) &&
         flash_program(store->flash, area_offset(store, (size_t)store->incoming) + at, data, size) == STATUS_OK;
}

/* Take bytes that continue the ones before; whole units go to flash. */
static bool append(struct store *store, const uint8_t *data, size_t size) {
  const size_t unit = store->unit;
  while (size > 0) {
    const size_t waiting = store->offset % unit;
    const size_t block_left = store->flash->block_size - store->offset % store->flash->block_size;
    size_t step;
    if (waiting == 0 && size >= unit) {
      step = (size < block_left ? size : block_left) / unit * unit;
      if (!program(store, store->offset, data, step)) {
        return false;
      }
    } else {
      step = size < unit - waiting ? size : unit - waiting;
      memcpy(store->pending + waiting, data, step);
      if (waiting + step == unit && !program(store, store->offset - waiting, store->pending, unit)) {
        return false;
      }
    }
    store->offset += step;
    data += step;
    size -= step;
  }
  const size_t waiting = store->offset % unit;
  if (store->offset == store->length && waiting > 0) {
    memset(store->pending + waiting, 0xFF, unit - waiting);
    return program(store, store->offset - waiting, store->pending, unit);
  }
  return true;
}

/* Begin to write the area that holds neither the current one nor the one before. */
static void begin(struct store *store, size_t length) {
  int8_t area = 0;
  while (area == store->slots[STORE_CURRENT] || area == store->slots[STORE_PREVIOUS]) {
    area++;
  }
  store->incoming = area;
  store->length = length;
  store->offset = 0;
  store->erased_blocks = 0;
}

enum status store_write(struct store *store, size_t offset, size_t length, const uint8_t *data, size_t size) {
  if (length < store->kind->least || length > store->kind->most) {
    return STATUS_DAMAGED;
  }
  if (store->area_blocks == 0) {
    return STATUS_STORAGE;
  }
  if (offset == 0) {
    begin(store, length);
  }
  if (store->incoming < 0 || offset != store->offset || length != store->length || size > length - offset) {
    return STATUS_ARGUMENT;
  }
  if (!append(store, data, size)) {
    store->incoming = -1;
    return STATUS_STORAGE;
  }
  return STATUS_OK;
}

bool store_complete(const struct store *store) {
  return store->incoming >= 0 && store->offset == store->length;
}

struct flash_span store_incoming(const struct store *store) {
  const bool complete = store_complete(store);
  return content_of(store, complete ? (size_t)store->incoming : 0, complete ? store->length : 0);
}

void store_abandon(struct store *store) {
  store->incoming = -1;
}

static bool is_current(const struct store *store, const struct flash_span *content) {
  const struct flash_span current = store_get(store, STORE_CURRENT);
  return flash_span_is(&current, content);
}

/* The program that makes the incoming one the current one. */
static enum status mark_current(struct store *store) {
  uint8_t word[FLASH_MOST_UNIT];
  const struct flash_span content = store_incoming(store);
  memset(word, 0xFF, sizeof word);
  store_le16(word, (uint16_t)(store->sequence + 1));
  store_le16(word + 2, (uint16_t)store->length);
  store_le32(word + 4, word_crc(word, &content));
  const bool kept = program(store, commit_at(store), word, store->unit);
  scan(store);
  return kept ? STATUS_OK : STATUS_STORAGE;
}

enum status store_commit(struct store *store) {
  if (!store_complete(store)) {
    return STATUS_EMPTY;
  }
  const struct flash_span content = store_incoming(store);
  enum status status = STATUS_OK;
  if (!holds(store, &content)) {
    status = STATUS_DAMAGED;
  } else if (!is_current(store, &content)) {
    status = mark_current(store);
  }
  store->incoming = -1;
  return status;
}

enum status store_put(struct store *store, const uint8_t *data, size_t size) {
  const enum status status = store_write(store, 0, size, data, size);
  return status == STATUS_OK ? store_commit(store) : status;
}

enum status store_rollback(struct store *store) {
  const struct flash_span previous = store_get(store, STORE_PREVIOUS);
  if (previous.size == 0) {
    return STATUS_EMPTY;
  }
  uint8_t part[COPY_BYTES];
  for (size_t at = 0; at < previous.size; at += sizeof part) {
    const size_t step = previous.size - at < sizeof part ? previous.size - at : sizeof part;
    flash_span_read(&previous, at, part, step);
    const enum status status = store_write(store, at, previous.size, part, step);
    if (status != STATUS_OK) {
      return status;
    }
  }
  const enum status status = mark_current(store);
  store->incoming = -1;
  return status;
}
