#include "slot_group.h"

#include <string.h>

#include "image_request.h"

/* How each refusal is told; of an image, its fault says it. */
static const struct {
  uint8_t code;
  uint8_t version_1;
} refusals[] = {
    [SLOTS_IMAGE] = {IMAGE_INVALID_HEADER, SMP_CORRUPT},
    [SLOTS_CONTENT] = {IMAGE_INVALID_CONTENT, SMP_CORRUPT},
    [SLOTS_OLDER] = {IMAGE_CURRENT_VERSION_IS_NEWER, SMP_BAD_STATE},
    [SLOTS_TOO_LARGE] = {IMAGE_TOO_LARGE, SMP_NO_MEMORY},
    [SLOTS_OFFSET] = {IMAGE_INVALID_OFFSET, SMP_INVALID},
    [SLOTS_LENGTH] = {IMAGE_INVALID_OFFSET, SMP_INVALID},
    [SLOTS_NO_IMAGE] = {IMAGE_NO_IMAGE, SMP_NO_ENTRY},
    [SLOTS_RUNS] = {IMAGE_ALREADY_PENDING, SMP_BAD_STATE},
    [SLOTS_ON_TRIAL] = {IMAGE_ALREADY_PENDING, SMP_BAD_STATE},
    [SLOTS_WRONG_SLOT] = {IMAGE_INVALID_SLOT, SMP_INVALID},
    [SLOTS_STORAGE] = {IMAGE_FLASH_WRITE_FAILED, SMP_NO_MEMORY},
};

const char *slot_group_sentence(enum slots_refusal refusal, enum image_fault fault) {
  static const char *const sentences[] = {
      [SLOTS_OLDER] = "The image is not newer than the one that is kept; raise its version or security counter.",
      [SLOTS_TOO_LARGE] = "The image is longer than a slot; make what is in it smaller.",
      [SLOTS_OFFSET] = "The part does not continue an upload; begin at offset 0 with length and SHA-256.",
      [SLOTS_LENGTH] = "The first part lacks the image's length; add it.",
      [SLOTS_NO_IMAGE] = "No slot holds this image; read the image state or upload it.",
      [SLOTS_RUNS] = "This image runs already; upload another one to test it.",
      [SLOTS_ON_TRIAL] = "The active image is on trial and the other slot holds its fallback; confirm or reset.",
      [SLOTS_WRONG_SLOT] = "This slot runs or is kept; leave the slot out to erase the other.",
      [SLOTS_STORAGE] = "The flash does not keep what was written; try again, or have the device checked.",
  };
  return refusal == SLOTS_IMAGE ? image_fault_text(fault) : sentences[refusal];
}

static bool is_of_signature(enum image_fault fault) {
  return fault == IMAGE_WRONG_KEY || fault == IMAGE_ALTERED || fault == IMAGE_FORGED;
}

/* Refuse; `content` says what is wrong with what is in an image. */
static void refuse(const struct slot_group *group, struct smp_answer *answer, const struct slots *slots,
                   enum slots_refusal refusal, const char *content) {
  uint8_t code = refusals[refusal].code;
  uint8_t version_1 = refusals[refusal].version_1;
  if (refusal == SLOTS_IMAGE) {
    if (is_of_signature(slots->fault)) {
      code = IMAGE_INVALID_HASH;
      version_1 = SMP_ACCESS_DENIED;
    } else if (slots->fault == IMAGE_CUT_SHORT) {
      code = IMAGE_TOO_LARGE;
      version_1 = SMP_NO_MEMORY;
    } else if (slots->fault == IMAGE_TOO_OLD) {
      code = IMAGE_CURRENT_VERSION_IS_NEWER;
      version_1 = SMP_BAD_STATE;
    }
  }
  struct text *reason = smp_refuse_in_group(answer, SMP_GROUP_IMAGE, code, (enum smp_code)version_1);
  if (refusal == SLOTS_CONTENT) {
    text_add(reason, content);
  } else if (group->sentence != NULL) {
    text_add(reason, group->sentence(refusal, slots->fault));
  }
}

static void put_unsigned(struct cbor_writer *body, const char *key, uint32_t number) {
  cbor_text(body, key);
  cbor_unsigned(body, number);
}

static void put_flag(struct cbor_writer *body, const char *key, bool value) {
  cbor_text(body, key);
  cbor_bool(body, value);
}

static void put_version(struct cbor_writer *body, const struct image_version *version) {
  char bytes[32];
  struct text text;
  text_begin(&text, bytes, sizeof bytes);
  text_add_unsigned(&text, version->major);
  text_add(&text, ".");
  text_add_unsigned(&text, version->minor);
  text_add(&text, ".");
  text_add_unsigned(&text, version->revision);
  if (version->build > 0) {
    text_add(&text, "+");
    text_add_unsigned(&text, version->build);
  }
  cbor_text(body, "version");
  cbor_text(body, bytes);
}

static void put_slot(struct cbor_writer *body, struct slots *slots, uint32_t image, int slot) {
  const struct slot_state *state = slots_look(slots, slot);
  const struct slot_state *other = slots_look(slots, 1 - slot);
  const bool active = slot == slots->running;
  const bool confirmed = trailer_is_confirmed(&state->trailer);
  /* What is confirmed and newer than what runs starts next, for good. */
  const bool permanent = !active && confirmed && slots->running != SLOTS_NONE &&
                         image_version_order(&state->image.version, &other->image.version) > 0;
  cbor_map(body, 9);
  put_unsigned(body, "image", image);
  put_unsigned(body, "slot", (uint32_t)slot);
  put_version(body, &state->image.version);
  cbor_text(body, "hash");
  cbor_bytes(body, state->image.hash, sizeof state->image.hash);
  put_flag(body, "bootable", true);
  put_flag(body, "pending", permanent || (!active && trailer_is_pending(&state->trailer)));
  put_flag(body, "confirmed", confirmed);
  put_flag(body, "active", active);
  put_flag(body, "permanent", permanent);
}

static void put_images(struct slot_group *group, struct smp_answer *answer) {
  struct cbor_writer *body = &answer->body;
  uint32_t items = 0;
  cbor_map(body, 1);
  cbor_text(body, "images");
  const size_t opened = cbor_open_array(body);
  for (uint32_t image = 0; image < group->count; image++) {
    for (int slot = 0; slot < SLOTS; slot++) {
      board_watchdog_feed(group->board);
      if (slots_look(group->images[image], slot)->fault == IMAGE_GOOD) {
        put_slot(body, group->images[image], image, slot);
        items++;
      }
    }
  }
  cbor_close_array(body, opened, items);
}

static void read_state(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  put_images(context, answer);
}

/* The slots that hold an image; those of image 0 where none does. */
static struct slots *find(const struct slot_group *group, const struct cbor_item *hash) {
  for (size_t image = 0; image < group->count; image++) {
    for (int slot = 0; slot < SLOTS; slot++) {
      const struct slot_state *state = slots_look(group->images[image], slot);
      if (state->fault == IMAGE_GOOD && hash->size == IMAGE_HASH_BYTES &&
          memcmp(state->image.hash, hash->data, IMAGE_HASH_BYTES) == 0) {
        return group->images[image];
      }
    }
  }
  return group->images[0];
}

static void write_state(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct slot_group *group = context;
  struct image_change change;
  char content[SMP_REASON_BYTES];
  struct text reason;
  if (!image_request_change(request, answer, &change)) {
    return;
  }
  text_begin(&reason, content, sizeof content);
  board_watchdog_feed(group->board);
  struct slots *slots = change.given ? find(group, &change.hash) : group->images[0];
  const enum slots_refusal refusal =
      change.given ? slots_mark(slots, change.hash.data, change.hash.size, change.confirm, &reason)
                   : slots_confirm(slots);
  if (refusal != SLOTS_OK) {
    refuse(group, answer, slots, refusal, content);
    return;
  }
  put_images(group, answer);
}

static void upload(void *context, const struct smp_request *request, struct smp_answer *answer) {
  struct slot_group *group = context;
  uint32_t offset, image, length;
  struct cbor_item data, sha, item;
  char content[SMP_REASON_BYTES];
  struct text reason;
  struct slots_first first = {.sha256 = NULL};
  uint32_t next = 0;
  if (!smp_field_unsigned(request, answer, "off", 0, UINT32_MAX, &offset) ||
      !smp_field_bytes(request, answer, "data", &data) ||
      !smp_field_unsigned_or(request, answer, "image", 0, (uint32_t)group->count - 1U, 0, &image)) {
    return;
  }
  if (cbor_find(request->body, request->body_size, "len", &item) && item.kind != CBOR_NULL) {
    if (!smp_field_unsigned(request, answer, "len", 0, UINT32_MAX, &length)) {
      return;
    }
    first.has_length = true;
    first.length = length;
  }
  if (cbor_find(request->body, request->body_size, "sha", &item) && item.kind != CBOR_NULL) {
    if (!smp_field_bytes(request, answer, "sha", &sha)) {
      return;
    }
    if (sha.size != 0 && sha.size != SLOTS_SHA256_BYTES) {
      text_add(smp_refuse_in_group(answer, SMP_GROUP_IMAGE, IMAGE_INVALID_HASH, SMP_INVALID),
               "The first part's SHA-256 does not have 32 bytes; give all of them or none.");
      return;
    }
    first.sha256 = sha.size > 0 ? sha.data : NULL;
  }
  text_begin(&reason, content, sizeof content);
  board_watchdog_feed(group->board);
  if (offset == 0) {
    group->uploading = image;
  }
  struct slots *slots = group->images[group->uploading];
  const bool begins = offset == 0 && (first.has_length || slots->target == SLOTS_NONE);
  const enum slots_refusal refusal =
      slots_upload(slots, offset, data.data, data.size, begins ? &first : NULL, &next, &reason);
  if (refusal != SLOTS_OK) {
    refuse(group, answer, slots, refusal, content);
    return;
  }
  const bool complete = next > 0 && next == slots->completed;
  cbor_map(&answer->body, complete ? 2 : 1);
  put_unsigned(&answer->body, "off", next);
  if (complete) {
    put_flag(&answer->body, "match", true);
  }
}

static void erase(void *context, const struct smp_request *request, struct smp_answer *answer) {
  const struct slot_group *group = context;
  uint32_t number;
  const uint32_t free = (uint32_t)slots_free(group->images[0]);
  if (!smp_field_unsigned_or(request, answer, "slot", 0, (uint32_t)(group->count * SLOTS) - 1U, free, &number)) {
    return;
  }
  struct slots *slots = group->images[number / SLOTS];
  const enum slots_refusal refusal = (int)(number % SLOTS) == slots_free(slots) ? slots_erase(slots) : SLOTS_WRONG_SLOT;
  if (refusal != SLOTS_OK) {
    refuse(group, answer, slots, refusal, "");
    return;
  }
  cbor_map(&answer->body, 0);
}

static void slot_info(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  const struct slot_group *group = context;
  struct cbor_writer *body = &answer->body;
  cbor_map(body, 1);
  cbor_text(body, "images");
  cbor_array(body, (uint32_t)group->count);
  for (uint32_t image = 0; image < group->count; image++) {
    struct slots *slots = group->images[image];
    cbor_map(body, 3);
    put_unsigned(body, "image", image);
    cbor_text(body, "slots");
    cbor_array(body, SLOTS);
    for (int slot = 0; slot < SLOTS; slot++) {
      const bool takes = slot == slots_free(slots);
      cbor_map(body, takes ? 3 : 2);
      put_unsigned(body, "slot", (uint32_t)slot);
      put_unsigned(body, "size", (uint32_t)slot_whole(slots->pair, slot).size);
      if (takes) {
        put_unsigned(body, "upload_image_id", image);
      }
    }
    put_unsigned(body, "max_image_size", (uint32_t)slot_place(slots->pair, 0).size);
  }
}

struct smp_group slot_group_commands(struct slot_group *group) {
  static const struct smp_command commands[] = {
      {IMAGE_STATE, SMP_READ, read_state}, {IMAGE_STATE, SMP_WRITE, write_state},  {IMAGE_UPLOAD, SMP_WRITE, upload},
      {IMAGE_ERASE, SMP_WRITE, erase},     {IMAGE_SLOT_INFO, SMP_READ, slot_info},
  };
  return (struct smp_group){SMP_GROUP_IMAGE, commands, sizeof commands / sizeof commands[0], group};
}
