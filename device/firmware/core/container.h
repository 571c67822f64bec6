/* A wearable's models and stages that were compiled apart from the firmware: a container of networks' code, constants,
   golden vectors, and the tables of a graph with its profile, findings and alerts. thermo_quantize.container makes it.

   Code and constants run and are read from any address that is a multiple of 8, and refer to one another by distance.
   The tables (`struct profile` and all it leads to that holds an address) are copied into RAM, and each address in them
   is made of what lies there: an offset into the container, an offset into the RAM, or the number of a stage of the
   firmware, which the container needs by name.

   Whoever opens one has verified its signature: its code may do anything. What is asked here is whether it suits. */
#ifndef CONTAINER_H
#define CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define CONTAINER_MAGIC 0x444F4D54U /* "TMOD" */
#define CONTAINER_ABI 2U
#define CONTAINER_ALIGNMENT 8U
#define CONTAINER_ROOM_ALIGNMENT 16U
#define CONTAINER_NAME_BYTES 24U
#define CONTAINER_TARGET_BYTES 16U
#define CONTAINER_MARK_BYTES 8U
#define CONTAINER_DIGEST_BYTES 32U
#define CONTAINER_MOST_INPUTS 8U

/* What a word of the tables is before it is an address: two bits say of what, the others how far from its beginning. */
#define CONTAINER_OF_ITSELF 0U
#define CONTAINER_OF_ROOM 1U
#define CONTAINER_OF_STAGES 2U
#define CONTAINER_KIND_SHIFT 30U
#define CONTAINER_FAR ((1U << CONTAINER_KIND_SHIFT) - 1U)

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
  uint32_t tables_at;
  uint32_t tables_bytes;
  uint32_t room_bytes;   /* of RAM: the tables, then what begins with zeros */
  uint32_t addresses_at; /* uint32_t each: byte of the tables where a word becomes an address */
  uint32_t address_count;
  uint32_t profile_at; /* byte of the tables where `struct profile` begins */
  uint32_t kept_bytes; /* of findings that are kept for a host that is away */
  uint32_t structures; /* changes with those that tables and firmware share */
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

/* A stage by its name, and what changes with its structures. */
struct container_stage {
  char name[CONTAINER_NAME_BYTES];
  uint8_t mark[CONTAINER_MARK_BYTES];
};

/* Where a graph has room for a network. */
struct container_place {
  uint8_t *arena; /* a multiple of 8 */
  uint32_t bytes;
  const uint32_t *elements; /* of its inputs, then of its output */
  uint32_t input_count;
};

/* A stage that a firmware has. */
struct container_offer {
  struct container_stage stage;
  const void *what;
};

/* What a firmware offers. */
struct container_host {
  const char *target; /* of its networks */
  uint32_t structures;
  uint8_t sensors_sha256[CONTAINER_DIGEST_BYTES];
  const struct container_offer *offers;
  size_t offer_count;
};

/* What it has left. */
struct container_room {
  uint8_t *at; /* a multiple of 16 */
  uint32_t bytes;
  uint32_t kept_bytes;
};

struct container {
  const uint8_t *data; /* the header's first byte */
  const struct container_header *header;
  const struct container_network *networks;
};

/* Whether what lies at `data`, of which `size` bytes may be read, is a container that suits; otherwise a sentence is
   added to `reason`. No code of it is run. */
bool container_open(struct container *container, const uint8_t *data, size_t size, const struct container_host *host,
                    const struct container_room *room, struct text *reason);

/* Put the tables of one that suits into the room, and zeros behind them; the container's `struct profile`. */
const void *container_load(const struct container *container, const struct container_host *host,
                           const struct container_room *room);

/* Whether a network is what its place in the graph wants. */
bool container_fits(const struct container *container, uint32_t network, const struct container_place *place);

/* Run the golden vectors of a network in its arena, which holds nothing of use afterwards. */
bool container_rehearse(const struct container *container, uint32_t network, uint8_t *arena, struct text *reason);

/* Where an input (or, behind the last one, the output) of a network lies in the arena. */
const struct container_end *container_end(const struct container *container, uint32_t network, uint32_t number);

/* Run a network on what lies in the arena. */
void container_invoke(const struct container *container, uint32_t network, uint8_t *arena);
/* Let a network forget what it keeps from run to run. */
void container_reset(const struct container *container, uint32_t network, uint8_t *arena);

#endif
