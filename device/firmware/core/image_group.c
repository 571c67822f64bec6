/* The image group of mcumgr for a bundle that is part of the firmware: one slot, which always runs. */
#include "image_group.h"

#include <string.h>

#define STATE 0
#define UPLOAD 1
#define ERASE 5
#define SLOT_INFO 6

#define NO_IMAGE 3
#define INVALID_HASH 24

void image_group_version(const struct bundle_profile *bundle, struct text *version) {
  text_add_unsigned(version, bundle->major);
  text_add(version, ".");
  text_add_unsigned(version, bundle->minor);
  text_add(version, ".");
  text_add_unsigned(version, bundle->revision);
  if (bundle->build > 0) {
    text_add(version, "+");
    text_add_unsigned(version, bundle->build);
  }
}

static void put_flag(struct cbor_writer *body, const char *key, bool value) {
  cbor_text(body, key);
  cbor_bool(body, value);
}

static void read_state(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  const struct bundle_profile *bundle = ((const struct profile *)context)->bundle;
  struct cbor_writer *body = &answer->body;
  cbor_map(body, 1);
  cbor_text(body, "images");
  cbor_array(body, bundle != NULL ? 1 : 0);
  if (bundle == NULL) {
    return;
  }
  char version_bytes[32];
  struct text version;
  text_begin(&version, version_bytes, sizeof version_bytes);
  image_group_version(bundle, &version);
  cbor_map(body, 9);
  cbor_text(body, "hash");
  cbor_bytes(body, bundle->image_sha256, sizeof bundle->image_sha256);
  cbor_text(body, "slot");
  cbor_unsigned(body, 0);
  cbor_text(body, "image");
  cbor_unsigned(body, 0);
  put_flag(body, "active", true);
  put_flag(body, "pending", false);
  cbor_text(body, "version");
  cbor_text(body, version_bytes);
  put_flag(body, "bootable", true);
  put_flag(body, "confirmed", true);
  put_flag(body, "permanent", false);
}

static void refuse_change(struct smp_answer *answer) {
  text_add(smp_refuse(answer, SMP_NOT_SUPPORTED),
           "The bundle is compiled into this firmware; build the firmware anew with `thermo-quantize firmware BUNDLE` "
           "and load it with the board's own tool.");
}

static void write_state(void *context, const struct smp_request *request, struct smp_answer *answer) {
  const struct bundle_profile *bundle = ((const struct profile *)context)->bundle;
  struct cbor_item hash;
  bool confirm;
  bool given = cbor_find(request->body, request->body_size, "hash", &hash) && hash.kind != CBOR_NULL;
  if (!smp_field_bool_or(request, answer, "confirm", false, &confirm) ||
      (given && !smp_field_bytes(request, answer, "hash", &hash))) {
    return;
  }
  if (!given && !confirm) {
    text_add(smp_refuse_in_group(answer, SMP_GROUP_IMAGE, INVALID_HASH, SMP_INVALID),
             "A test needs the image's hash; read it from the image state.");
  } else if (!given && bundle == NULL) {
    text_add(smp_refuse_in_group(answer, SMP_GROUP_IMAGE, NO_IMAGE, SMP_NO_ENTRY),
             "No bundle runs, so there is none to confirm; build the firmware with `thermo-quantize firmware BUNDLE`.");
  } else if (!given || (confirm && bundle != NULL && hash.size == sizeof bundle->image_sha256 &&
                        memcmp(hash.data, bundle->image_sha256, hash.size) == 0)) {
    read_state(context, request, answer);
  } else {
    refuse_change(answer);
  }
}

static void refuse_upload(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)context;
  (void)request;
  refuse_change(answer);
}

static void slot_info(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)context;
  (void)request;
  struct cbor_writer *body = &answer->body;
  cbor_map(body, 1);
  cbor_text(body, "images");
  cbor_array(body, 1);
  cbor_map(body, 2);
  cbor_text(body, "image");
  cbor_unsigned(body, 0);
  cbor_text(body, "slots");
  cbor_array(body, 1);
  cbor_map(body, 2);
  cbor_text(body, "size");
  cbor_unsigned(body, 0);
  cbor_text(body, "slot");
  cbor_unsigned(body, 0);
}

struct smp_group image_group_commands(const struct profile *profile) {
  static const struct smp_command commands[] = {
      {STATE, SMP_READ, read_state},     {STATE, SMP_WRITE, write_state},  {UPLOAD, SMP_WRITE, refuse_upload},
      {ERASE, SMP_WRITE, refuse_upload}, {SLOT_INFO, SMP_READ, slot_info},
  };
  return (struct smp_group){SMP_GROUP_IMAGE, commands, sizeof commands / sizeof commands[0],
                            (void *)(uintptr_t)profile};
}
