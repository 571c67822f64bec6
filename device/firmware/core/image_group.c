/* The image group of mcumgr for a bundle that is part of the firmware: one slot, which always runs. */
#include "image_group.h"

#include <string.h>

#include "image_request.h"

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
  struct image_change change;
  if (!image_request_change(request, answer, &change)) {
    return;
  }
  if (!change.given && bundle == NULL) {
    text_add(smp_refuse_in_group(answer, SMP_GROUP_IMAGE, IMAGE_NO_IMAGE, SMP_NO_ENTRY),
             "No bundle runs, so there is none to confirm; build the firmware with `thermo-quantize firmware BUNDLE`.");
  } else if (!change.given || (change.confirm && bundle != NULL && change.hash.size == sizeof bundle->image_sha256 &&
                               memcmp(change.hash.data, bundle->image_sha256, change.hash.size) == 0)) {
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
      {IMAGE_STATE, SMP_READ, read_state},      {IMAGE_STATE, SMP_WRITE, write_state},
      {IMAGE_UPLOAD, SMP_WRITE, refuse_upload}, {IMAGE_ERASE, SMP_WRITE, refuse_upload},
      {IMAGE_SLOT_INFO, SMP_READ, slot_info},
  };
  return (struct smp_group){SMP_GROUP_IMAGE, commands, sizeof commands / sizeof commands[0],
                            (void *)(uintptr_t)profile};
}
