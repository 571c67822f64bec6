/* The note of an upload lies at the start of a slot's last block: magic, length, SHA-256 of the whole image as its
   sender says, and then a mark for each block of the image that is whole. A torn mark is passed over by the next one.
 */
#include "slots.h"

#include <string.h>

#include "bytes.h"

#define NOTE_BYTES 40U
#define NOTE_MAGIC 0x31505554U /* "TUP1" */
#define NOTE_SHA256_AT 8U
static const uint8_t whole_mark[TRAILER_UNIT] = {0};

static size_t block_size(const struct slots *slots) {
  return slots->pair->flash->block_size;
}

bool slot_pair_is_usable(const struct slot_pair *pair) {
  const struct flash *flash = pair->flash;
  if (!flash_is_usable(flash) || flash->prog_size > TRAILER_UNIT || pair->blocks < 2 ||
      pair->blocks > flash->block_count ||
      NOTE_BYTES + (pair->blocks - 1U) * TRAILER_UNIT + TRAILER_BYTES > flash->block_size) {
    return false;
  }
  const size_t last = flash->block_count - pair->blocks;
  const size_t a = pair->first_block[0];
  const size_t b = pair->first_block[1];
  return a <= last && b <= last && (a + pair->blocks <= b || b + pair->blocks <= a);
}

struct flash_span slot_whole(const struct slot_pair *pair, int slot) {
  const size_t size = pair->flash->block_size;
  return (struct flash_span){pair->flash, pair->first_block[slot] * size, pair->blocks * size};
}

struct flash_span slot_place(const struct slot_pair *pair, int slot) {
  const struct flash_span whole = slot_whole(pair, slot);
  return flash_span_from(&whole, 0, whole.size - pair->flash->block_size);
}

void slots_open(struct slots *slots, const struct slot_pair *pair, int running) {
  memset(slots, 0, sizeof *slots);
  slots->pair = pair;
  slots->running = running;
  slots->target = SLOTS_NONE;
}

const struct slot_state *slots_look(struct slots *slots, int slot) {
  struct slot_state *state = &slots->state[slot];
  if (!slots->known[slot]) {
    const struct flash_span place = slot_place(slots->pair, slot);
    const struct flash_span whole = slot_whole(slots->pair, slot);
    state->fault = image_verify(&place, &slots->pair->rules[slot], &state->image);
    state->trailer = trailer_read(&whole);
    slots->known[slot] = true;
  }
  return state;
}

static bool is_good(struct slots *slots, int slot) {
  return slots_look(slots, slot)->fault == IMAGE_GOOD;
}

static bool is_confirmed(struct slots *slots, int slot) {
  return trailer_is_confirmed(&slots_look(slots, slot)->trailer);
}

bool slots_on_trial(struct slots *slots) {
  return slots->running != SLOTS_NONE && !is_confirmed(slots, slots->running) && is_good(slots, 1 - slots->running);
}

static struct flash_span note_of(const struct slots *slots, int slot) {
  const struct flash_span whole = slot_whole(slots->pair, slot);
  return flash_span_from(&whole, whole.size - block_size(slots), block_size(slots) - TRAILER_BYTES);
}

/* Whether a slot has a note of an upload; it is read. */
static bool read_note(const struct slots *slots, int slot, uint32_t *length, uint8_t sha256[SLOTS_SHA256_BYTES]) {
  uint8_t note[NOTE_BYTES];
  const struct flash_span span = note_of(slots, slot);
  flash_span_read(&span, 0, note, sizeof note);
  *length = load_le32(note + 4);
  memcpy(sha256, note + NOTE_SHA256_AT, SLOTS_SHA256_BYTES);
  return load_le32(note) == NOTE_MAGIC;
}

/* In the loader nothing runs: what cannot start is overwritten first, then what would not be chosen. */
static int free_in_loader(struct slots *slots) {
  if (is_good(slots, 0) != is_good(slots, 1)) {
    return is_good(slots, 0) ? 1 : 0;
  }
  if (!is_good(slots, 0)) {
    uint32_t length;
    uint8_t sha256[SLOTS_SHA256_BYTES];
    return read_note(slots, 1, &length, sha256) && !read_note(slots, 0, &length, sha256) ? 1 : 0;
  }
  if (is_confirmed(slots, 0) != is_confirmed(slots, 1)) {
    return is_confirmed(slots, 0) ? 1 : 0;
  }
  return image_version_order(&slots->state[0].image.version, &slots->state[1].image.version) >= 0 ? 1 : 0;
}

int slots_free(struct slots *slots) {
  return slots->running != SLOTS_NONE  ? 1 - slots->running
         : slots->target != SLOTS_NONE ? slots->target
                                       : free_in_loader(slots);
}

/* The image that a new one must be newer than: the one that runs, in the loader the one that would stay. */
static const struct image *rival(struct slots *slots, int target) {
  const int other = 1 - target;
  return slots->running != SLOTS_NONE || is_good(slots, other) ? &slots_look(slots, other)->image : NULL;
}

static bool is_newer(struct slots *slots, const struct image *image, int target) {
  const struct image *other = rival(slots, target);
  return other == NULL || image_version_order(&image->version, &other->version) > 0;
}

/* All that is asked of a complete image in a slot. */
static enum slots_refusal accept(struct slots *slots, int slot, struct text *reason) {
  const struct slot_state *state = slots_look(slots, slot);
  const struct image *other = rival(slots, slot);
  const struct flash_span place = slot_place(slots->pair, slot);
  const struct flash_span payload = image_payload(&place, &state->image);
  slots->fault = state->fault;
  if (state->fault != IMAGE_GOOD) {
    return SLOTS_IMAGE;
  }
  if (!is_newer(slots, &state->image, slot) || (other != NULL && state->image.counter < other->counter)) {
    return SLOTS_OLDER;
  }
  return slots->suits == NULL || slots->suits(slots->context, &payload, &state->image, reason) ? SLOTS_OK
                                                                                               : SLOTS_CONTENT;
}

static enum status erase_block(const struct slots *slots, int slot, size_t block) {
  const struct flash *flash = slots->pair->flash;
  return flash->erase(flash->context, slots->pair->first_block[slot] + block);
}

static enum status erase_trailer(const struct slots *slots, int slot) {
  return erase_block(slots, slot, slots->pair->blocks - 1U);
}

/* Program whole units, block by block, erasing each when its first byte comes. */
static enum status program(struct slots *slots, const uint8_t *data, size_t size) {
  const struct flash_span place = slot_place(slots->pair, slots->target);
  const uint32_t at = slots->offset - slots->offset % TRAILER_UNIT;
  if (at == slots->erased) {
    if (erase_block(slots, slots->target, at / block_size(slots)) != STATUS_OK) {
      return STATUS_STORAGE;
    }
    slots->erased += (uint32_t)block_size(slots);
  }
  return flash_program(place.flash, place.at + at, data, size);
}

/* Note that the blocks up to the offset are whole. A mark that a cut left in pieces is left to the next one. */
static enum status mark_whole(const struct slots *slots) {
  const struct flash_span note = note_of(slots, slots->target);
  const size_t at = NOTE_BYTES + (slots->offset / block_size(slots) - 1U) * TRAILER_UNIT;
  uint8_t there[TRAILER_UNIT];
  flash_span_read(&note, at, there, sizeof there);
  for (size_t i = 0; i < sizeof there; i++) {
    if (there[i] != 0xFF) {
      return STATUS_OK;
    }
  }
  return flash_program(note.flash, note.at + at, whole_mark, sizeof whole_mark);
}

/* Add bytes; whole units go to flash, and the last ones with ones behind them. */
static enum status append(struct slots *slots, const uint8_t *data, size_t size) {
  while (size > 0) {
    const size_t waiting = slots->offset % TRAILER_UNIT;
    const size_t block_left = block_size(slots) - slots->offset % block_size(slots);
    size_t step;
    enum status status = STATUS_OK;
    if (waiting == 0 && size >= TRAILER_UNIT) {
      step = (size < block_left ? size : block_left) / TRAILER_UNIT * TRAILER_UNIT;
      status = program(slots, data, step);
    } else {
      step = size < TRAILER_UNIT - waiting ? size : TRAILER_UNIT - waiting;
      memcpy(slots->pending + waiting, data, step);
      const size_t held = waiting + step;
      if (held == TRAILER_UNIT || slots->offset + step == slots->length) {
        memset(slots->pending + held, 0xFF, TRAILER_UNIT - held);
        status = program(slots, slots->pending, TRAILER_UNIT);
      }
    }
    if (status != STATUS_OK) {
      return status;
    }
    slots->offset += (uint32_t)step;
    data += step;
    size -= step;
    if (slots->noted && slots->offset % block_size(slots) == 0 && mark_whole(slots) != STATUS_OK) {
      return STATUS_STORAGE;
    }
  }
  return STATUS_OK;
}

static enum slots_refusal begin(struct slots *slots, int target, const struct slots_first *first) {
  slots->target = SLOTS_NONE;
  slots->completed = 0;
  slots->known[target] = false;
  if (erase_trailer(slots, target) != STATUS_OK) {
    return SLOTS_STORAGE;
  }
  slots->noted = first->sha256 != NULL;
  if (slots->noted) {
    uint8_t note[NOTE_BYTES];
    const struct flash_span span = note_of(slots, target);
    store_le32(note, NOTE_MAGIC);
    store_le32(note + 4, first->length);
    memcpy(note + NOTE_SHA256_AT, first->sha256, SLOTS_SHA256_BYTES);
    memcpy(slots->sha256, first->sha256, SLOTS_SHA256_BYTES);
    if (flash_program(span.flash, span.at, note, sizeof note) != STATUS_OK) {
      return SLOTS_STORAGE;
    }
  }
  slots->target = target;
  slots->length = first->length;
  slots->offset = slots->erased = 0;
  return SLOTS_OK;
}

/* Whether the upload in progress, or one that flash has a note of, is this one; then `offset` says how far it came. */
static bool resumes(struct slots *slots, int target, const struct slots_first *first) {
  uint32_t length;
  uint8_t sha256[SLOTS_SHA256_BYTES];
  if (first->sha256 == NULL || !read_note(slots, target, &length, sha256) || length != first->length ||
      memcmp(sha256, first->sha256, sizeof sha256) != 0) {
    return false;
  }
  if (slots->target == target && slots->noted) {
    return true;
  }
  const struct flash_span note = note_of(slots, target);
  const size_t image_blocks = slots->pair->blocks - 1U;
  uint32_t whole = 0;
  for (uint32_t block = 0; block < image_blocks; block++) {
    uint8_t mark[TRAILER_UNIT];
    flash_span_read(&note, NOTE_BYTES + block * TRAILER_UNIT, mark, sizeof mark);
    if (memcmp(mark, whole_mark, sizeof mark) == 0) {
      whole = block + 1U;
    }
  }
  slots->target = target;
  slots->length = length;
  slots->offset = slots->erased = whole * (uint32_t)block_size(slots);
  slots->noted = true;
  memcpy(slots->sha256, sha256, sizeof slots->sha256);
  if (slots->offset >= length) { /* only its last bytes were lost with the answer, or it was not whole after all */
    slots->offset = slots->erased = (length - 1U) / (uint32_t)block_size(slots) * (uint32_t)block_size(slots);
  }
  return true;
}

/* Whether the slot holds just that file, whole and verified: then nothing needs to be sent. */
static bool holds(struct slots *slots, int target, const struct slots_first *first) {
  uint32_t length;
  uint8_t sha256[SLOTS_SHA256_BYTES];
  return slots->target == SLOTS_NONE && first->sha256 != NULL && read_note(slots, target, &length, sha256) &&
         length == first->length && memcmp(sha256, first->sha256, sizeof sha256) == 0 && is_good(slots, target) &&
         slots_look(slots, target)->image.size == length;
}

/* What can be told from the first bytes spares a user minutes on a slow line. */
static enum slots_refusal look_ahead(struct slots *slots, int target, const uint8_t *data, size_t size) {
  struct image image;
  if (size < IMAGE_HEADER_BYTES) {
    return SLOTS_OK;
  }
  slots->fault = image_peek(data, &slots->pair->rules[target], &image);
  if (slots->fault != IMAGE_GOOD) {
    return SLOTS_IMAGE;
  }
  return is_newer(slots, &image, target) ? SLOTS_OK : SLOTS_OLDER;
}

static enum slots_refusal start(struct slots *slots, int target, const uint8_t *data, size_t size,
                                const struct slots_first *first) {
  if (first == NULL || !first->has_length || first->length == 0) {
    return SLOTS_LENGTH;
  }
  if (first->length > slot_place(slots->pair, target).size) {
    return SLOTS_TOO_LARGE;
  }
  if (resumes(slots, target, first)) {
    return SLOTS_OK;
  }
  const enum slots_refusal refusal = look_ahead(slots, target, data, size);
  return refusal == SLOTS_OK ? begin(slots, target, first) : refusal;
}

static enum slots_refusal finish(struct slots *slots, struct text *reason) {
  const int slot = slots->target;
  slots->target = SLOTS_NONE;
  slots->known[slot] = false;
  const enum slots_refusal refusal = accept(slots, slot, reason);
  slots->completed = refusal == SLOTS_OK ? slots->length : 0;
  if (refusal != SLOTS_OK) {
    (void)erase_trailer(slots, slot); /* with the note, so that it is sent anew */
    slots->known[slot] = false;
  }
  return refusal;
}

enum slots_refusal slots_upload(struct slots *slots, uint32_t offset, const uint8_t *data, size_t size,
                                const struct slots_first *first, uint32_t *next, struct text *reason) {
  if (slots_on_trial(slots)) {
    return SLOTS_ON_TRIAL;
  }
  const int target = slots_free(slots);
  if (offset == 0 && first != NULL && first->has_length && holds(slots, target, first)) {
    slots->completed = first->length;
    *next = first->length;
    return accept(slots, target, reason);
  }
  if (offset == 0 && (first != NULL || slots->target == SLOTS_NONE)) {
    const enum slots_refusal refusal = start(slots, target, data, size, first);
    if (refusal != SLOTS_OK) {
      return refusal;
    }
  } else if (slots->target == SLOTS_NONE) {
    *next = slots->completed; /* whose answer was lost */
    return slots->completed > 0 && offset <= slots->completed && size == slots->completed - offset ? SLOTS_OK
                                                                                                   : SLOTS_OFFSET;
  }
  if (offset == slots->offset) {
    if (size > slots->length - offset) {
      slots->target = SLOTS_NONE;
      return SLOTS_OFFSET;
    }
    if (append(slots, data, size) != STATUS_OK) {
      slots->target = SLOTS_NONE;
      return SLOTS_STORAGE;
    }
  }
  *next = slots->offset;
  return slots->offset < slots->length ? SLOTS_OK : finish(slots, reason);
}

/* Write what is missing of a trailer; what is torn is erased first, with the upload's note. The image stays what it is.
 */
static enum slots_refusal write_trailer(struct slots *slots, int slot, bool image_ok) {
  const struct flash_span whole = slot_whole(slots->pair, slot);
  struct trailer trailer = trailer_read(&whole);
  enum status status = STATUS_OK;
  slots->known[slot] = false;
  const bool spent = !image_ok && !trailer_is_pending(&trailer);
  if (trailer.magic == TRAILER_BAD || trailer.copy_done == TRAILER_BAD || trailer.image_ok == TRAILER_BAD ||
      (spent && !trailer_is_unset(&trailer))) {
    status = erase_trailer(slots, slot);
    trailer = (struct trailer){TRAILER_UNSET, TRAILER_UNSET, TRAILER_UNSET};
  }
  if (status == STATUS_OK && image_ok && trailer.image_ok == TRAILER_UNSET) {
    status = trailer_set_image_ok(&whole);
  }
  if (status == STATUS_OK && trailer.magic == TRAILER_UNSET) {
    status = trailer_set_magic(&whole);
  }
  return status == STATUS_OK ? SLOTS_OK : SLOTS_STORAGE;
}

enum slots_refusal slots_mark(struct slots *slots, const uint8_t *hash, size_t hash_size, bool permanent,
                              struct text *reason) {
  int slot = SLOTS_NONE;
  for (int i = 0; i < SLOTS; i++) {
    if (hash_size == IMAGE_HASH_BYTES && is_good(slots, i) &&
        memcmp(hash, slots_look(slots, i)->image.hash, IMAGE_HASH_BYTES) == 0) {
      slot = i;
    }
  }
  if (slot == SLOTS_NONE) {
    return SLOTS_NO_IMAGE;
  }
  if (slot == slots->running) {
    return permanent ? slots_confirm(slots) : SLOTS_RUNS;
  }
  if (slots_on_trial(slots)) {
    return SLOTS_ON_TRIAL;
  }
  if (is_confirmed(slots, slot)) {
    return slots->running == SLOTS_NONE ? SLOTS_OK : SLOTS_OLDER;
  }
  const enum slots_refusal refusal = accept(slots, slot, reason);
  return refusal == SLOTS_OK ? write_trailer(slots, slot, permanent) : refusal;
}

enum slots_refusal slots_confirm(struct slots *slots) {
  if (slots->running == SLOTS_NONE) {
    return SLOTS_NO_IMAGE;
  }
  return is_confirmed(slots, slots->running) ? SLOTS_OK : write_trailer(slots, slots->running, true);
}

enum slots_refusal slots_erase(struct slots *slots) {
  if (slots->running == SLOTS_NONE) {
    const int slot = free_in_loader(slots);
    if (is_good(slots, slot)) {
      return SLOTS_ON_TRIAL;
    }
  } else if (slots_on_trial(slots)) {
    return SLOTS_ON_TRIAL;
  }
  const int slot = slots_free(slots);
  slots->target = SLOTS_NONE;
  slots->completed = 0;
  slots->known[slot] = false;
  return erase_trailer(slots, slot) == STATUS_OK && erase_block(slots, slot, 0) == STATUS_OK ? SLOTS_OK : SLOTS_STORAGE;
}
