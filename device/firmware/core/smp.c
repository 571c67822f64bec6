/* SMP requests to answers. */
#include "smp.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "bytes.h"
#include "float32.h"

static bool is_request(uint8_t op) {
  return op == SMP_READ || op == SMP_WRITE;
}

void smp_begin(struct smp_server *server, const struct smp_group *groups, size_t group_count,
               uint64_t (*now_us)(void *context), void (*on_refusal)(void *context, const char *reason),
               void *context) {
  server->groups = groups;
  server->group_count = group_count;
  server->now_us = now_us;
  server->on_refusal = on_refusal;
  server->context = context;
  server->reason[0] = '\0';
  server->reason_time_us = 0;
}

struct text *smp_refuse_in_group(struct smp_answer *answer, uint16_t group, uint16_t code, enum smp_code version_1) {
  answer->refused = true;
  answer->group = group;
  answer->code = code;
  answer->version_1 = (uint8_t)version_1;
  text_begin(&answer->reason, answer->reason.data, answer->reason.capacity);
  return &answer->reason;
}

struct text *smp_refuse(struct smp_answer *answer, enum smp_code code) {
  return smp_refuse_in_group(answer, SMP_GROUP_NONE, (uint16_t)code, code);
}

static const struct smp_command *find_command(const struct smp_server *server, const struct smp_request *request,
                                              void **context) {
  for (size_t i = 0; i < server->group_count; i++) {
    const struct smp_group *group = &server->groups[i];
    if (group->group != request->group) {
      continue;
    }
    for (size_t j = 0; j < group->command_count; j++) {
      if (group->commands[j].command == request->command && group->commands[j].op == request->op) {
        *context = group->context;
        return &group->commands[j];
      }
    }
  }
  return NULL;
}

/* The body of a refusal; `reason` NULL where there is no sentence. */
static void write_refusal(struct cbor_writer *body, uint8_t version, uint16_t group, uint16_t code, uint8_t version_1,
                          const char *reason) {
  if (group != SMP_GROUP_NONE && version > 0) {
    cbor_map(body, 1);
    cbor_text(body, "err");
    cbor_map(body, 2);
    cbor_text(body, "rc");
    cbor_unsigned(body, code);
    cbor_text(body, "group");
    cbor_unsigned(body, group);
    return;
  }
  cbor_map(body, reason != NULL ? 2 : 1);
  cbor_text(body, "rc");
  cbor_unsigned(body, group == SMP_GROUP_NONE ? code : version_1);
  if (reason != NULL) {
    cbor_text(body, "rsn");
    cbor_text(body, reason);
  }
}

/* Header and message before its body is looked at. */
static bool check_header(const uint8_t *message, size_t size, struct smp_answer *answer) {
  unsigned version = message[0] >> 3 & 3U;
  size_t announced = load_be16(message + 2);
  if (version > 1) {
    struct text *reason = smp_refuse(answer, SMP_TOO_NEW);
    text_add(reason, "SMP version ");
    text_add_unsigned(reason, version + 1);
    text_add(reason, " is newer than this side speaks; use version 1 or 2.");
    return false;
  }
  if (announced != size - SMP_HEADER_BYTES) {
    struct text *reason = smp_refuse(answer, SMP_INVALID);
    text_add(reason, "The SMP header announces ");
    text_add_unsigned(reason, announced);
    text_add(reason, " bytes of body, ");
    text_add_unsigned(reason, size - SMP_HEADER_BYTES);
    text_add(reason, " came; send it again.");
    return false;
  }
  return true;
}

static bool check_body(uint8_t *message, size_t *body_size, struct smp_answer *answer) {
  enum cbor_fault fault = cbor_check(message + SMP_HEADER_BYTES, body_size);
  if (fault == CBOR_GOOD) {
    return true;
  }
  struct text *reason = smp_refuse(answer, SMP_INVALID);
  text_add(reason, "The body of an SMP message ");
  text_add(reason, cbor_fault_text(fault));
  text_add(reason, "; send another.");
  return false;
}

size_t smp_answer_message(struct smp_server *server, uint8_t *message, size_t size, uint8_t *answer, size_t capacity) {
  if (size < SMP_HEADER_BYTES || !is_request(message[0] & 7) || capacity < SMP_HEADER_BYTES) {
    return 0;
  }
  struct smp_request request = {.group = load_be16(message + 4),
                                .command = message[7],
                                .op = message[0] & 7,
                                .sequence = message[6],
                                .version = message[0] >> 3 & 3};
  struct smp_answer made = {.reason = {.data = server->reason, .capacity = sizeof server->reason}};
  cbor_begin(&made.body, answer + SMP_HEADER_BYTES, capacity - SMP_HEADER_BYTES);
  size_t body_size = size - SMP_HEADER_BYTES;
  bool silent = false;
  if (check_header(message, size, &made) && check_body(message, &body_size, &made)) {
    request.body = message + SMP_HEADER_BYTES;
    request.body_size = body_size;
    void *context = NULL;
    const struct smp_command *command = find_command(server, &request, &context);
    if (command != NULL) {
      command->handle(context, &request, &made);
    } else {
      silent = true;
    }
  }
  uint8_t version = request.version > 0 ? 1 : 0;
  if (silent || (!made.refused && made.body.overflow)) {
    cbor_begin(&made.body, answer + SMP_HEADER_BYTES, capacity - SMP_HEADER_BYTES);
    write_refusal(&made.body, version, SMP_GROUP_NONE, silent ? SMP_NOT_SUPPORTED : SMP_TOO_LARGE, 0, NULL);
  } else if (made.refused) {
    server->reason_time_us = server->now_us(server->context);
    cbor_begin(&made.body, answer + SMP_HEADER_BYTES, capacity - SMP_HEADER_BYTES);
    write_refusal(&made.body, version, made.group, made.code, made.version_1, server->reason);
    if (server->on_refusal != NULL) {
      server->on_refusal(server->context, server->reason);
    }
  }
  if (made.body.overflow) {
    return 0;
  }
  answer[0] = (uint8_t)((request.op | 1) | version << 3);
  answer[1] = 0;
  store_be16(answer + 2, (uint16_t)made.body.used);
  store_be16(answer + 4, request.group);
  answer[6] = request.sequence;
  answer[7] = request.command;
  return SMP_HEADER_BYTES + made.body.used;
}

/* Refuse a field, and say what it is (NULL: missing); what it must be is to be added. */
static struct text *refuse_field(struct smp_answer *answer, const char *name, const struct cbor_item *item) {
  static const char *const kinds[] = {"",      "", "a byte string", "text",           "a list",
                                      "a map", "", "null",          "a broken number"};
  struct text *reason = smp_refuse(answer, SMP_INVALID);
  text_add(reason, "The field \"");
  text_add(reason, name);
  if (item == NULL) {
    text_add(reason, "\" of a management message is missing; it must be ");
    return reason;
  }
  text_add(reason, "\" of a management message is ");
  if (item->kind == CBOR_UNSIGNED) {
    text_add_unsigned(reason, item->number);
  } else if (item->kind == CBOR_NEGATIVE && item->number <= INT64_MAX) {
    text_add_signed(reason, -1 - (int64_t)item->number);
  } else if (item->kind == CBOR_NEGATIVE) {
    text_add(reason, "below all bounds");
  } else if (item->kind == CBOR_BOOL) {
    text_add(reason, item->number != 0 ? "true" : "false");
  } else {
    text_add(reason, kinds[item->kind]);
  }
  text_add(reason, "; it must be ");
  return reason;
}

static bool refuse_kind(struct smp_answer *answer, const char *name, const struct cbor_item *item, const char *wanted) {
  struct text *reason = refuse_field(answer, name, item);
  text_add(reason, wanted);
  text_add(reason, ".");
  return false;
}

static bool take_unsigned(struct smp_answer *answer, const char *name, const struct cbor_item *item, uint32_t least,
                          uint32_t most, uint32_t *number) {
  if (item == NULL || item->kind != CBOR_UNSIGNED || item->number < least || item->number > most) {
    struct text *reason = refuse_field(answer, name, item);
    text_add(reason, "a whole number from ");
    text_add_unsigned(reason, least);
    text_add(reason, " to ");
    text_add_unsigned(reason, most);
    text_add(reason, ".");
    return false;
  }
  *number = (uint32_t)item->number;
  return true;
}

static const struct cbor_item *find(const struct smp_request *request, const char *name, struct cbor_item *item) {
  return cbor_find(request->body, request->body_size, name, item) ? item : NULL;
}

bool smp_field_unsigned(const struct smp_request *request, struct smp_answer *answer, const char *name, uint32_t least,
                        uint32_t most, uint32_t *number) {
  struct cbor_item item;
  return take_unsigned(answer, name, find(request, name, &item), least, most, number);
}

bool smp_field_unsigned_or(const struct smp_request *request, struct smp_answer *answer, const char *name,
                           uint32_t least, uint32_t most, uint32_t missing, uint32_t *number) {
  struct cbor_item item;
  if (find(request, name, &item) == NULL) {
    *number = missing;
    return true;
  }
  return take_unsigned(answer, name, &item, least, most, number);
}

bool smp_field_number(const struct smp_request *request, struct smp_answer *answer, const char *name, float *number) {
  struct cbor_item item;
  bool found = find(request, name, &item) != NULL;
  if (found && item.kind == CBOR_UNSIGNED) {
    *number = float32_of_unsigned(item.number);
    return true;
  }
  if (found && item.kind == CBOR_NEGATIVE) {
    *number = -1.0f - float32_of_unsigned(item.number);
    return true;
  }
  if (found && item.kind == CBOR_FLOAT && isfinite(item.real)) {
    *number = item.real;
    return true;
  }
  return refuse_kind(answer, name, found ? &item : NULL, "a number");
}

bool smp_field_items(const struct smp_request *request, struct smp_answer *answer, const char *name,
                     enum cbor_kind kind, struct cbor_item *item) {
  bool found = find(request, name, item) != NULL;
  return (found && item->kind == kind) ||
         refuse_kind(answer, name, found ? item : NULL, kind == CBOR_MAP ? "a map" : "a list");
}

bool smp_field_bytes(const struct smp_request *request, struct smp_answer *answer, const char *name,
                     struct cbor_item *item) {
  bool found = find(request, name, item) != NULL;
  return (found && item->kind == CBOR_BYTES) || refuse_kind(answer, name, found ? item : NULL, "a byte string");
}

bool smp_field_text(const struct smp_request *request, struct smp_answer *answer, const char *name, const char *missing,
                    struct cbor_item *item) {
  bool found = find(request, name, item) != NULL;
  if (!found && missing != NULL) {
    item->kind = CBOR_TEXT;
    item->data = (const uint8_t *)missing;
    item->size = strlen(missing);
    return true;
  }
  return (found && item->kind == CBOR_TEXT) || refuse_kind(answer, name, found ? item : NULL, "text");
}

bool smp_field_bool_or(const struct smp_request *request, struct smp_answer *answer, const char *name, bool missing,
                       bool *value) {
  struct cbor_item item;
  if (find(request, name, &item) == NULL) {
    *value = missing;
    return true;
  }
  if (item.kind != CBOR_BOOL) {
    return refuse_kind(answer, name, &item, "true or false");
  }
  *value = item.number != 0;
  return true;
}
