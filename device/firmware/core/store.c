/* Three areas of flash in turn. Each ends with a word of 8 bytes that says it holds something, how long, and how
   new; it is programmed last. Of the areas whose content holds, the newest is current and the next previous; an
   area that an erase or a program left in pieces is as good as empty.

   The word: u16 sequence, u16 length, u32 CRC-32 of the content's last 4 bytes and these 4. */
#include "store.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"

#define WORD 8
#define COPY_BYTES 64

static size_t area_offset(const struct store *store, size_t area) {
  return (store->first_page + area * store->area_pages) * store->board->flash_page_size;
}

static const uint8_t *area_start(const struct store *store, size_t area) {
  return store->board->flash + area_offset(store, area);
}

static size_t commit_at(const struct store *store) {
  return store->area_pages * store->board->flash_page_size - WORD;
}

static uint32_t word_crc(const uint8_t *word, const uint8_t *content, size_t size) {
  return crc32_update(crc32_update(0, content + size - 4, 4), word, 4);
}

/* What an area's last word says; false where it says nothing. */
static bool read_word(const struct store *store, size_t area, uint16_t *sequence, size_t *size) {
  const uint8_t *start = area_start(store, area);
  const uint8_t *word = start + commit_at(store);
  *sequence = load_le16(word);
  *size = load_le16(word + 2);
  return *size >= store->kind->least && *size <= store->kind->most &&
         load_le32(word + 4) == word_crc(word, start, *size);
}

static bool is_newer(uint16_t sequence, uint16_t than) {
  return (int16_t)(uint16_t)(sequence - than) > 0;
}

static bool holds(const struct store *store, const uint8_t *content, size_t size) {
  return store->kind->holds(store->kind->context, content, size);
}

/* Rank the areas. */
static void scan(struct store *store) {
  uint16_t sequences[2] = {0, 0};
  bool any = false;
  store->slots[STORE_CURRENT] = store->slots[STORE_PREVIOUS] = -1;
  store->damaged = false;
  for (int8_t area = 0; area < STORE_AREAS; area++) {
    uint16_t sequence;
    size_t size;
    if (!read_word(store, (size_t)area, &sequence, &size)) {
      continue;
    }
    bool newest = !any || is_newer(sequence, store->sequence);
    bool whole = holds(store, area_start(store, (size_t)area), size);
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

void store_open(struct store *store, const struct board *board, const struct store_kind *kind, size_t first_page,
                size_t end_page) {
  memset(store, 0, sizeof *store);
  store->board = board;
  store->kind = kind;
  store->first_page = first_page;
  store->slots[STORE_CURRENT] = store->slots[STORE_PREVIOUS] = -1;
  store->incoming = -1;
  size_t page = board->flash_page_size;
  if (page < WORD || page % WORD != 0 || end_page > board->flash_pages || first_page > end_page) {
    return;
  }
  /* its content in whole words, and the last word */
  size_t pages = ((kind->most + WORD - 1) / WORD * WORD + WORD + page - 1) / page;
  if (pages <= (end_page - first_page) / STORE_AREAS) {
    store->area_pages = pages;
    scan(store);
  }
}

size_t store_pages(const struct store *store) {
  return STORE_AREAS * store->area_pages;
}

const uint8_t *store_get(const struct store *store, enum store_slot slot, size_t *size) {
  uint16_t sequence;
  int8_t area = store->slots[slot];
  if (area < 0 || !read_word(store, (size_t)area, &sequence, size)) {
    *size = 0;
    return NULL;
  }
  return area_start(store, (size_t)area);
}

/* Erase up to and with the page that holds byte `at` of the incoming area. */
static bool erase_to(struct store *store, size_t at) {
  while (store->erased_pages * store->board->flash_page_size <= at) {
    size_t page = store->first_page + (size_t)store->incoming * store->area_pages + store->erased_pages;
    if (store->board->flash_erase(page) != STATUS_OK) {
      return false;
    }
    store->erased_pages++;
  }
  return true;
}

/* Program whole words and look whether flash holds them. */
static bool program(struct store *store, size_t at, const uint8_t *data, size_t size) {
  size_t offset = area_offset(store, (size_t)store->incoming) + at;
  return erase_to(store, at + size - 1) && store->board->flash_program(offset, data, size) == STATUS_OK &&
         memcmp(store->board->flash + offset, data, size) == 0;
}

/* Take bytes that continue the ones before; whole words go to flash. */
static bool append(struct store *store, const uint8_t *data, size_t size) {
  while (size > 0) {
    size_t waiting = store->offset % WORD;
    size_t page_left = store->board->flash_page_size - store->offset % store->board->flash_page_size;
    size_t step;
    if (waiting == 0 && size >= WORD) {
      step = (size < page_left ? size : page_left) / WORD * WORD;
      if (!program(store, store->offset, data, step)) {
        return false;
      }
    } else {
      step = size < WORD - waiting ? size : WORD - waiting;
      memcpy(store->pending + waiting, data, step);
      if (waiting + step == WORD && !program(store, store->offset - waiting, store->pending, WORD)) {
        return false;
      }
    }
    store->offset += step;
    data += step;
    size -= step;
  }
  size_t waiting = store->offset % WORD;
  if (store->offset == store->length && waiting > 0) {
    memset(store->pending + waiting, 0xFF, WORD - waiting);
    return program(store, store->offset - waiting, store->pending, WORD);
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
  store->erased_pages = 0;
}

enum status store_write(struct store *store, size_t offset, size_t length, const uint8_t *data, size_t size) {
  if (length < store->kind->least || length > store->kind->most) {
    return STATUS_DAMAGED;
  }
  if (store->area_pages == 0) {
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

const uint8_t *store_incoming(const struct store *store, size_t *size) {
  const bool complete = store_complete(store);
  *size = complete ? store->length : 0;
  return complete ? area_start(store, (size_t)store->incoming) : NULL;
}

void store_abandon(struct store *store) {
  store->incoming = -1;
}

static bool is_current(const struct store *store, const uint8_t *content, size_t length) {
  size_t size;
  const uint8_t *current = store_get(store, STORE_CURRENT, &size);
  return current != NULL && size == length && memcmp(current, content, size) == 0;
}

/* The program that makes the incoming one the current one. */
static enum status mark_current(struct store *store, const uint8_t *content) {
  uint8_t word[WORD];
  store_le16(word, (uint16_t)(store->sequence + 1));
  store_le16(word + 2, (uint16_t)store->length);
  store_le32(word + 4, word_crc(word, content, store->length));
  bool kept = program(store, commit_at(store), word, WORD);
  scan(store);
  return kept ? STATUS_OK : STATUS_STORAGE;
}

enum status store_commit(struct store *store) {
  if (!store_complete(store)) {
    return STATUS_EMPTY;
  }
  const uint8_t *content = area_start(store, (size_t)store->incoming);
  enum status status = STATUS_OK;
  if (!holds(store, content, store->length)) {
    status = STATUS_DAMAGED;
  } else if (!is_current(store, content, store->length)) {
    status = mark_current(store, content);
  }
  store->incoming = -1;
  return status;
}

enum status store_put(struct store *store, const uint8_t *data, size_t size) {
  const enum status status = store_write(store, 0, size, data, size);
  return status == STATUS_OK ? store_commit(store) : status;
}

enum status store_rollback(struct store *store) {
  size_t size;
  const uint8_t *previous = store_get(store, STORE_PREVIOUS, &size);
  if (previous == NULL) {
    return STATUS_EMPTY;
  }
  uint8_t part[COPY_BYTES]; /* not every flash reads while it programs */
  for (size_t at = 0; at < size; at += sizeof part) {
    size_t step = size - at < sizeof part ? size - at : sizeof part;
    memcpy(part, previous + at, step);
    enum status status = store_write(store, at, size, part, step);
    if (status != STATUS_OK) {
      return status;
    }
  }
  enum status status = mark_current(store, area_start(store, (size_t)store->incoming));
  store->incoming = -1;
  return status;
}
