/* Networks that were compiled apart from the firmware: a container of code, constants, profile and golden vectors,
   which runs from any address that is a multiple of 8. thermo_quantize.container makes it; what refers to something
   refers to it by its offset from the header.

   Whoever opens one has verified its signature: its code may do anything. What is asked here is whether it suits. */
#ifndef CONTAINER_H
#define CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define CONTAINER_MAGIC 0x444F4D54U /* "TMOD" */
#define CONTAINER_ABI 1U
#define CONTAINER_ALIGNMENT 8U
#define CONTAINER_NAME_BYTES 24U
#define CONTAINER_TARGET_BYTES 16U
#define CONTAINER_FINGERPRINT_BYTES 8U
#define CONTAINER_DIGEST_BYTES 32U
#define CONTAINER_MOST_INPUTS 8U

struct container_header {
  uint32_t magic;
  uint16_t abi;
  uint16_t network_count;
  uint32_t size;        /* of all, bytes */
  uint32_t arena_bytes; /* of the largest network */
  char target[CONTAINER_TARGET_BYTES];
  uint32_t networks_at; /* struct container_network */
  uint32_t stages_at;   /* struct container_stage */
  uint32_t stage_count;
  uint32_t profile_at; /* canonical CBOR */
  uint32_t profile_size;
  uint32_t reserved;
  uint8_t sensors_sha256[CONTAINER_DIGEST_BYTES];
};

struct container_network {
  uint32_t invoke_at; /* lowest bit set */
  uint32_t reset_at;  /* likewise; 0 for one that keeps no state */
  uint32_t arena_bytes;
  uint32_t ends_at; /* struct container_end of its inputs, then of its output */
  uint32_t input_count;
  uint32_t tests_at; /* each the numbers of all inputs, then of the output */
  uint32_t test_count;
};

/* real = scale (q - zero_point) */
struct container_end {
  uint32_t at; /* byte of the arena */
  uint32_t elements;
  float scale;
  int32_t zero_point;
};

/* A stage of the container's profile: its name, and what changes with its constants, inputs and output. */
struct container_stage {
  char name[CONTAINER_NAME_BYTES];
  uint8_t fingerprint[CONTAINER_FINGERPRINT_BYTES];
};

/* Where a firmware has room for a network. */
struct container_place {
  uint8_t *arena; /* a multiple of 16 */
  uint32_t bytes;
  const uint32_t *elements; /* of its inputs, then of its output */
  uint32_t input_count;
};

/* What a firmware offers. */
struct container_host {
  const char *target;                          /* of its networks */
  const struct container_place *const *places; /* one for each of its models */
  size_t place_count;
  uint8_t sensors_sha256[CONTAINER_DIGEST_BYTES];
  const struct container_stage *stages; /* of its profile: all that it can compute */
  size_t stage_count;
};

struct container {
  const uint8_t *data; /* the header's first byte */
  const struct container_header *header;
  const struct container_network *networks;
};

/* Whether what lies at `data`, of which `size` bytes may be read, is a container that suits; otherwise a sentence is
   added to `reason`. No code of it is run. */
bool container_open(struct container *container, const uint8_t *data, size_t size, const struct container_host *host,
                    struct text *reason);

/* Run its golden vectors, or those of one network, in the host's memory, which holds nothing of use afterwards. */
bool container_rehearse(const struct container *container, const struct container_host *host, struct text *reason);
bool container_rehearse_network(const struct container *container, uint32_t network, uint8_t *arena,
                                struct text *reason);

/* Where an input (or, behind the last one, the output) of a network lies in the arena. */
const struct container_end *container_end(const struct container *container, uint32_t network, uint32_t number);

/* Run a network on what lies in the arena. */
void container_invoke(const struct container *container, uint32_t network, uint8_t *arena);
/* Let a network forget what it keeps from run to run. */
void container_reset(const struct container *container, uint32_t network, uint8_t *arena);

#endif
