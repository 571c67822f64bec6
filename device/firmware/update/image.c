/* Every byte of an image is either hashed or pinned to one value, so that no altered one is accepted. */
#include "image.h"

#include <string.h>

#include "bytes.h"
#include "sha512.h"

#define MAGIC 0x96F3B83DU
#define AREA_MAGIC 0x6907U
#define PROTECTED_MAGIC 0x6908U
#define AREA_BYTES 4U /* of an area's head, and of a field's */
#define AT_ONCE 128U

#define FIELD_KEY_HASH 0x01U
#define FIELD_SHA512 0x12U
#define FIELD_ED25519 0x24U
#define FIELD_DEPENDENCY 0x40U
#define FIELD_COUNTER 0x50U

/* The area behind what is hashed: hash, hash of the key, signature, in imgtool's order. */
#define HASH_AT (AREA_BYTES + AREA_BYTES)
#define KEY_HASH_AT (HASH_AT + IMAGE_HASH_BYTES + AREA_BYTES)
#define SIGNATURE_AT (KEY_HASH_AT + IMAGE_HASH_BYTES + AREA_BYTES)
#define FIELDS_BYTES (SIGNATURE_AT + ED25519_SIGNATURE_BYTES)

const char *image_fault_text(enum image_fault fault) {
  static const char *const texts[] = {
      "The image is as it should be.",
      "This is not an MCUboot image; give one made by thermo-quantize or imgtool.",
      "The image is longer than its slot has room for; make what is in it smaller.",
      "The image's header or fields are damaged; fetch or sign it again.",
      "The image has flags or fields that are not supported; sign it in the clear, with SHA-512 and Ed25519.",
      "The image is made for another slot or address; upload the one that is linked for the free slot.",
      "The image's security counter is lower than what is allowed here; sign it with a newer one.",
      "The image's vectors lie outside it or its stack outside the memory; build it for this board.",
      "The image is signed with a key that is not trusted here; sign it with the key this firmware was built with.",
      "The image was altered after it was signed; fetch it again.",
      "The image's signature does not hold; sign it again with the right key.",
  };
  return texts[fault];
}

int image_version_order(const struct image_version *a, const struct image_version *b) {
  const uint64_t left = (uint64_t)a->major << 56 | (uint64_t)a->minor << 48 | (uint64_t)a->revision << 32 | a->build;
  const uint64_t right = (uint64_t)b->major << 56 | (uint64_t)b->minor << 48 | (uint64_t)b->revision << 32 | b->build;
  return (left > right) - (left < right);
}

enum image_fault image_peek(const uint8_t header[IMAGE_HEADER_BYTES], const struct image_rules *rules,
                            struct image *image) {
  memset(image, 0, sizeof *image);
  if (load_le32(header) != MAGIC) {
    return IMAGE_ABSENT;
  }
  image->load_address = load_le32(header + 4);
  image->header_size = load_le16(header + 8);
  image->payload_size = load_le32(header + 12);
  image->flags = load_le32(header + 16);
  image->version = (struct image_version){header[20], header[21], load_le16(header + 22), load_le32(header + 24)};
  if (image->header_size < IMAGE_HEADER_BYTES || image->payload_size == 0 || load_le32(header + 28) != 0) {
    return IMAGE_MALFORMED;
  }
  if (image->flags != rules->flags) {
    return IMAGE_UNSUPPORTED;
  }
  return image->load_address == rules->address ? IMAGE_GOOD : IMAGE_WRONG_ADDRESS;
}

/* The protected fields, which end where the hash does: of them the security counter is used. */
static enum image_fault read_protected(const struct flash_span *place, size_t at, size_t size, struct image *image) {
  uint8_t head[AREA_BYTES];
  bool counted = false;
  if (size == 0) {
    return IMAGE_GOOD;
  }
  flash_span_read(place, at, head, sizeof head);
  if (size < AREA_BYTES || load_le16(head) != PROTECTED_MAGIC || load_le16(head + 2) != size) {
    return IMAGE_MALFORMED;
  }
  const size_t end = at + size;
  at += AREA_BYTES;
  while (at < end) {
    if (end - at < AREA_BYTES) {
      return IMAGE_MALFORMED;
    }
    flash_span_read(place, at, head, sizeof head);
    const uint16_t kind = load_le16(head);
    const uint16_t length = load_le16(head + 2);
    at += AREA_BYTES;
    if (length > end - at) {
      return IMAGE_MALFORMED;
    }
    if (kind == FIELD_DEPENDENCY) {
      return IMAGE_UNSUPPORTED;
    }
    if (kind == FIELD_COUNTER) {
      uint8_t counter[4];
      if (counted || length != sizeof counter) {
        return IMAGE_MALFORMED;
      }
      flash_span_read(place, at, counter, sizeof counter);
      image->counter = load_le32(counter);
      counted = true;
    }
    at += length;
  }
  return IMAGE_GOOD;
}

static bool is_field(const uint8_t *head, uint16_t kind, uint16_t size) {
  return load_le16(head) == kind && load_le16(head + 2) == size;
}

/* Whether a program's first stack pointer and its entry lie where they can. */
static bool vectors_fit(const struct flash_span *place, const struct image_rules *rules, const struct image *image) {
  uint8_t vectors[8];
  if (rules->ram_size == 0) {
    return true;
  }
  if (image->payload_size < sizeof vectors) {
    return false;
  }
  flash_span_read(place, image->header_size, vectors, sizeof vectors);
  const uint32_t stack = load_le32(vectors);
  const uint32_t entry = load_le32(vectors + 4);
  const uint32_t code = rules->address + image->header_size;
  return stack % 4U == 0 && stack > rules->ram && stack - rules->ram <= rules->ram_size && entry % 2U == 1 &&
         entry - 1U >= code + sizeof vectors && entry - 1U - code < image->payload_size;
}

enum image_fault image_open(const struct flash_span *place, const struct image_rules *rules, struct image *image) {
  uint8_t header[IMAGE_HEADER_BYTES];
  uint8_t fields[FIELDS_BYTES];
  memset(image, 0, sizeof *image);
  if (place->size < sizeof header + sizeof fields) {
    return IMAGE_ABSENT;
  }
  flash_span_read(place, 0, header, sizeof header);
  enum image_fault fault = image_peek(header, rules, image);
  if (fault != IMAGE_GOOD) {
    return fault;
  }
  const size_t room = place->size - sizeof fields;
  const size_t protected_size = load_le16(header + 10);
  if (image->header_size > room || image->payload_size > room - image->header_size ||
      protected_size > room - image->header_size - image->payload_size) {
    return IMAGE_CUT_SHORT;
  }
  const uint32_t payload_end = image->header_size + image->payload_size;
  image->hashed_size = payload_end + (uint32_t)protected_size;
  image->size = image->hashed_size + FIELDS_BYTES;
  fault = read_protected(place, payload_end, protected_size, image);
  if (fault != IMAGE_GOOD) {
    return fault;
  }
  flash_span_read(place, image->hashed_size, fields, sizeof fields);
  memcpy(image->hash, fields + HASH_AT, sizeof image->hash);
  if (load_le16(fields) != AREA_MAGIC || load_le16(fields + 2) != FIELDS_BYTES ||
      !is_field(fields + HASH_AT - AREA_BYTES, FIELD_SHA512, IMAGE_HASH_BYTES) ||
      !is_field(fields + KEY_HASH_AT - AREA_BYTES, FIELD_KEY_HASH, IMAGE_HASH_BYTES) ||
      !is_field(fields + SIGNATURE_AT - AREA_BYTES, FIELD_ED25519, ED25519_SIGNATURE_BYTES)) {
    return IMAGE_UNSUPPORTED;
  }
  if (image->counter < rules->least_counter) {
    return IMAGE_TOO_OLD;
  }
  return vectors_fit(place, rules, image) ? IMAGE_GOOD : IMAGE_WRONG_VECTORS;
}

/* SHA-512 of the key's SubjectPublicKeyInfo (DER), by which an image names it. */
static void hash_key(const uint8_t key[ED25519_KEY_BYTES], uint8_t hash[IMAGE_HASH_BYTES]) {
  static const uint8_t prefix[] = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00};
  struct sha512 context;
  sha512_begin(&context);
  sha512_add(&context, prefix, sizeof prefix);
  sha512_add(&context, key, ED25519_KEY_BYTES);
  sha512_end(&context, hash);
}

static const uint8_t *find_key(const struct image_rules *rules, const uint8_t named[IMAGE_HASH_BYTES]) {
  uint8_t hash[IMAGE_HASH_BYTES];
  for (size_t i = 0; i < rules->key_count; i++) {
    hash_key(rules->keys[i], hash);
    if (memcmp(hash, named, sizeof hash) == 0) {
      return rules->keys[i];
    }
  }
  return NULL;
}

static bool hash_holds(const struct flash_span *place, const struct image *image) {
  struct sha512 context;
  uint8_t part[AT_ONCE];
  uint8_t hash[IMAGE_HASH_BYTES];
  sha512_begin(&context);
  for (size_t at = 0; at < image->hashed_size; at += sizeof part) {
    const size_t left = image->hashed_size - at;
    const size_t count = left < sizeof part ? left : sizeof part;
    flash_span_read(place, at, part, count);
    sha512_add(&context, part, count);
  }
  sha512_end(&context, hash);
  return memcmp(hash, image->hash, sizeof hash) == 0;
}

enum image_fault image_verify(const struct flash_span *place, const struct image_rules *rules, struct image *image) {
  uint8_t named[IMAGE_HASH_BYTES];
  uint8_t signature[ED25519_SIGNATURE_BYTES];
  const enum image_fault fault = image_open(place, rules, image);
  if (fault != IMAGE_GOOD) {
    return fault;
  }
  flash_span_read(place, image->hashed_size + KEY_HASH_AT, named, sizeof named);
  flash_span_read(place, image->hashed_size + SIGNATURE_AT, signature, sizeof signature);
  const uint8_t *key = find_key(rules, named);
  if (key == NULL) {
    return IMAGE_WRONG_KEY;
  }
  if (!hash_holds(place, image)) {
    return IMAGE_ALTERED;
  }
  return ed25519_holds(key, image->hash, sizeof image->hash, signature) ? IMAGE_GOOD : IMAGE_FORGED;
}

struct flash_span image_payload(const struct flash_span *place, const struct image *image) {
  return flash_span_from(place, image->header_size, image->payload_size);
}
