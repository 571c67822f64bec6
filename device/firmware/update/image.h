/* A signed image in MCUboot's format, in flash: header, payload, protected fields, and the fields that hash and sign
   them. The hash is SHA-512, the signature Ed25519 of that hash, as `imgtool sign --sha 512` and thermo-quantize make
   them. Source: MCUboot's design.md, "Image format". */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ed25519.h"
#include "flash.h"

#define IMAGE_HEADER_BYTES 32U
#define IMAGE_HASH_BYTES 64U
#define IMAGE_ROM_FIXED 0x100U /* flag: made for one address */

struct image_version {
  uint8_t major, minor;
  uint16_t revision;
  uint32_t build;
};

struct image {
  struct image_version version;
  uint32_t flags;
  uint32_t load_address;          /* of the header */
  uint32_t counter;               /* security counter; 0 where there is none */
  uint32_t header_size;           /* bytes before the payload */
  uint32_t payload_size;          /* bytes */
  uint32_t hashed_size;           /* bytes from the start on that the hash covers */
  uint32_t size;                  /* all bytes */
  uint8_t hash[IMAGE_HASH_BYTES]; /* as the image states it: its identity */
};

/* What an image of one kind must be where it lies. */
struct image_rules {
  const uint8_t (*keys)[ED25519_KEY_BYTES]; /* any of which may have signed it */
  size_t key_count;
  uint32_t flags;         /* neither more nor fewer: IMAGE_ROM_FIXED for programs, 0 for what runs anywhere */
  uint32_t address;       /* where its header is to lie; 0 for what runs anywhere */
  uint32_t ram;           /* where the stack of a program may end */
  uint32_t ram_size;      /* bytes; 0 for what is no program: then it has no vectors */
  uint32_t least_counter; /* of security counters */
};

enum image_fault {
  IMAGE_GOOD,
  IMAGE_ABSENT,        /* no image begins here */
  IMAGE_CUT_SHORT,     /* longer than the place has room for */
  IMAGE_MALFORMED,     /* a header or fields that contradict themselves */
  IMAGE_UNSUPPORTED,   /* flags or fields that this device does not know */
  IMAGE_WRONG_ADDRESS, /* made for another address */
  IMAGE_TOO_OLD,       /* security counter */
  IMAGE_WRONG_VECTORS, /* stack or entry lie elsewhere */
  IMAGE_WRONG_KEY,     /* signed with a key that is not trusted here */
  IMAGE_ALTERED,       /* the hash differs */
  IMAGE_FORGED,        /* the signature does not hold */
};

/* What is wrong, as a sentence that says what to do. */
const char *image_fault_text(enum image_fault fault);

/* A header alone, of an image whose rest may not have come; nothing of it may be trusted. */
enum image_fault image_peek(const uint8_t header[IMAGE_HEADER_BYTES], const struct image_rules *rules,
                            struct image *image);

/* All but hash and signature. `place` is where it lies and as far as it may reach. `image` is filled in as far as was
   understood. */
enum image_fault image_open(const struct flash_span *place, const struct image_rules *rules, struct image *image);

/* The same with hash and signature. Takes 85 instructions a byte on a Cortex-M4 and 143 on a Cortex-M0+, and about 2 kB
   of stack. */
enum image_fault image_verify(const struct flash_span *place, const struct image_rules *rules, struct image *image);

/* The payload of an image that lies in `place`. */
struct flash_span image_payload(const struct flash_span *place, const struct image *image);

/* Negative, zero or positive as `a` is older than, as old as or newer than `b`. */
int image_version_order(const struct image_version *a, const struct image_version *b);

#endif
