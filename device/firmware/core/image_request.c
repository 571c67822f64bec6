#include "image_request.h"

bool image_request_change(const struct smp_request *request, struct smp_answer *answer, struct image_change *change) {
  struct cbor_item *hash = &change->hash;
  change->given = cbor_find(request->body, request->body_size, "hash", hash) && hash->kind != CBOR_NULL;
  if (!smp_field_bool_or(request, answer, "confirm", false, &change->confirm) ||
      (change->given && !smp_field_bytes(request, answer, "hash", hash))) {
    return false;
  }
  if (!change->given && !change->confirm) {
    text_add(smp_refuse_in_group(answer, SMP_GROUP_IMAGE, IMAGE_INVALID_HASH, SMP_INVALID),
             "A test needs the image's hash; read it from the image state.");
    return false;
  }
  return true;
}
