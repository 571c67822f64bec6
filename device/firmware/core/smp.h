/* The SMP server: finds the handler of a request and writes the answer or the refusal, as the Python agent does
   (thermo_device.smp_server); and the os group, in smp_os.c. */
#ifndef SMP_H
#define SMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cbor.h"
#include "framing.h"
#include "text.h"

#define SMP_HEADER_BYTES 8
#define SMP_BUFFER_BYTES FRAMING_MAX_MESSAGE /* longest request and answer, as the mcumgr parameters announce it */
#define SMP_REASON_BYTES 192                 /* longest sentence of a refusal, its zero included */

enum smp_op { SMP_READ, SMP_READ_ANSWER, SMP_WRITE, SMP_WRITE_ANSWER };

enum smp_group_id { SMP_GROUP_OS = 0, SMP_GROUP_IMAGE = 1, SMP_GROUP_WEARABLE = 65, SMP_GROUP_NONE = 0xFFFF };

/* Codes of the protocol itself. */
enum smp_code {
  SMP_OK,
  SMP_UNKNOWN,
  SMP_NO_MEMORY,
  SMP_INVALID,
  SMP_TIMEOUT,
  SMP_NO_ENTRY,
  SMP_BAD_STATE,
  SMP_TOO_LARGE,
  SMP_NOT_SUPPORTED,
  SMP_CORRUPT,
  SMP_BUSY,
  SMP_ACCESS_DENIED,
  SMP_TOO_OLD,
  SMP_TOO_NEW,
};

struct smp_request {
  uint16_t group;
  uint8_t command;
  uint8_t op;
  uint8_t sequence;
  uint8_t version; /* 0 is SMP version 1, 1 is version 2 */
  const uint8_t *body;
  size_t body_size;
};

/* What a handler makes: a body, or a refusal. */
struct smp_answer {
  struct cbor_writer body;
  bool refused;
  uint16_t group; /* whose code it is; SMP_GROUP_NONE for the protocol's own */
  uint16_t code;
  uint8_t version_1; /* an smp_code for clients of SMP version 1 */
  struct text reason;
};

/* Carries a request out. It writes one map to `answer->body`, or calls smp_refuse. */
typedef void (*smp_handler)(void *context, const struct smp_request *request, struct smp_answer *answer);

struct smp_command {
  uint8_t command;
  uint8_t op;
  smp_handler handle;
};

struct smp_group {
  uint16_t group;
  const struct smp_command *commands;
  size_t command_count;
  void *context; /* for its handlers */
};

struct smp_server {
  const struct smp_group *groups;
  size_t group_count;
  uint64_t (*now_us)(void *context);
  /* Told of every refusal of a known command and of malformed requests; may be NULL. */
  void (*on_refusal)(void *context, const char *reason);
  void *context;
  char reason[SMP_REASON_BYTES]; /* of the last refusal, "" where there was none */
  uint64_t reason_time_us;
};

/* Groups as given; no refusal yet. */
void smp_begin(struct smp_server *server, const struct smp_group *groups, size_t group_count,
               uint64_t (*now_us)(void *context), void (*on_refusal)(void *context, const char *reason), void *context);
/* Answer a message, which may be changed. Returns the size of the answer, 0 where none is due: it was no request. */
size_t smp_answer_message(struct smp_server *server, uint8_t *message, size_t size, uint8_t *answer, size_t capacity);

/* Refuse: with a code of `group`, which clients of version 1 get as `version_1`; the sentence is added to the text that
   is returned. */
struct text *smp_refuse_in_group(struct smp_answer *answer, uint16_t group, uint16_t code, enum smp_code version_1);
/* Refuse with a code of the protocol. */
struct text *smp_refuse(struct smp_answer *answer, enum smp_code code);

/* Fields of requests. Each returns false after it has refused because the field is missing or not what it must be. The
   variants with a default take it where the field is missing. */
bool smp_field_unsigned(const struct smp_request *request, struct smp_answer *answer, const char *name, uint32_t least,
                        uint32_t most, uint32_t *number);
bool smp_field_unsigned_or(const struct smp_request *request, struct smp_answer *answer, const char *name,
                           uint32_t least, uint32_t most, uint32_t missing, uint32_t *number);
bool smp_field_number(const struct smp_request *request, struct smp_answer *answer, const char *name, float *number);
/* `kind` is CBOR_MAP or CBOR_ARRAY. */
bool smp_field_items(const struct smp_request *request, struct smp_answer *answer, const char *name,
                     enum cbor_kind kind, struct cbor_item *item);
bool smp_field_bytes(const struct smp_request *request, struct smp_answer *answer, const char *name,
                     struct cbor_item *item);
/* `missing` NULL: it must be there. */
bool smp_field_text(const struct smp_request *request, struct smp_answer *answer, const char *name, const char *missing,
                    struct cbor_item *item);
bool smp_field_bool_or(const struct smp_request *request, struct smp_answer *answer, const char *name, bool missing,
                       bool *value);

/* What the os group says of the device and does to it. */
struct smp_os {
  const char *name;             /* node */
  const char *software;         /* version */
  const char *machine;          /* hardware */
  const char *processor;        /* its instruction set, "armv7e-m" */
  const char *profile;          /* which wearable it is */
  const char *system;           /* "bare metal" */
  bool has_slots;               /* a bootloader of ours started it, or it is one */
  const char *models_target;    /* of containers that it takes; NULL where it takes none */
  uint32_t models_structures;   /* that they have to be made for */
  void (*reset)(void *context); /* ask for a restart that happens after the answer is sent */
  void *context;
};

/* The os group: echo, reset, mcumgr parameters, application info, bootloader info. `os` must stay. */
struct smp_group smp_os_group(struct smp_os *os);
/* Of it what an upload needs, for a loader: echo, reset, mcumgr parameters. */
struct smp_group smp_os_basic_group(struct smp_os *os);

#endif
