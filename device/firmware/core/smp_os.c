/* The os group of mcumgr, answered as the Python agent answers it. */
#include "smp.h"

#include <string.h>

#define ECHO 0
#define RESET 5
#define PARAMETERS 6
#define APPLICATION_INFO 7
#define BOOTLOADER_INFO 8

#define INVALID_FORMAT 2
#define NO_ANSWER 3
#define DIRECT_XIP_WITH_REVERT 5 /* mode of MCUboot, as mcumgr numbers them */
#define QUOTED_BYTES 16          /* of what a client sent, in a refusal */

static void echo(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)context;
  struct cbor_item text;
  if (!smp_field_text(request, answer, "d", NULL, &text)) {
    return;
  }
  cbor_map(&answer->body, 1);
  cbor_text(&answer->body, "r");
  cbor_text_bytes(&answer->body, text.data, text.size);
}

static void reset(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)request;
  struct smp_os *os = context;
  os->reset(os->context);
  cbor_map(&answer->body, 0);
}

static void parameters(void *context, const struct smp_request *request, struct smp_answer *answer) {
  (void)context;
  (void)request;
  cbor_map(&answer->body, 2);
  cbor_text(&answer->body, "buf_size");
  cbor_unsigned(&answer->body, SMP_BUFFER_BYTES);
  cbor_text(&answer->body, "buf_count");
  cbor_unsigned(&answer->body, 1);
}

static void quote(struct text *reason, const struct cbor_item *text) {
  const char *from = (const char *)text->data;
  text_add_bytes(reason, from, text_fit(from, text->size, QUOTED_BYTES));
}

static void application_info(void *context, const struct smp_request *request, struct smp_answer *answer) {
  const struct smp_os *os = context;
  struct cbor_item format;
  if (!smp_field_text(request, answer, "format", "s", &format)) {
    return;
  }
  static const char letters[] = {'s', 'n', 'r', 'v', 'm', 'p', 'i', 'o'};
  const char *const parts[] = {"thermo-edge", os->name,      os->software, os->software,
                               os->machine,   os->processor, os->profile,  os->system};
  unsigned wanted = 0;
  for (size_t i = 0; i < format.size; i++) {
    size_t found = 0;
    while (found < sizeof letters && letters[found] != (char)format.data[i]) {
      found++;
    }
    if (found < sizeof letters) {
      wanted |= 1U << found;
    } else if (format.data[i] == 'a') {
      wanted = 0xFF;
    } else if (format.data[i] != 'b') {
      struct text *reason = smp_refuse_in_group(answer, SMP_GROUP_OS, INVALID_FORMAT, SMP_INVALID);
      text_add(reason, "The format \"");
      quote(reason, &format);
      text_add(reason, "\" holds letters other than snrvbmpioa; correct it.");
      return;
    }
  }
  char output[SMP_REASON_BYTES];
  struct text text;
  text_begin(&text, output, sizeof output);
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    if ((wanted >> i & 1U) != 0) {
      text_add(&text, text.used > 0 ? " " : "");
      text_add(&text, parts[i]);
    }
  }
  cbor_map(&answer->body, 1);
  cbor_text(&answer->body, "output");
  cbor_text(&answer->body, output);
}

static bool asks(const struct cbor_item *query, const char *what) {
  return query->size == strlen(what) && memcmp(query->data, what, query->size) == 0;
}

static void no_answer(const struct smp_os *os, const struct cbor_item *query, struct smp_answer *answer) {
  struct text *reason = smp_refuse_in_group(answer, SMP_GROUP_OS, NO_ANSWER, SMP_NO_ENTRY);
  text_add(reason, os->has_slots ? "The bootloader does not answer \"" : "There is no bootloader that could answer \"");
  quote(reason, query);
  text_add(reason, os->has_slots ? "\"; ask for \"mode\"." : "\"; the firmware starts by itself.");
}

/* Besides what MCUboot answers: "model", of the containers that image 1 takes. */
static void bootloader_info(void *context, const struct smp_request *request, struct smp_answer *answer) {
  const struct smp_os *os = context;
  struct cbor_item query;
  if (!smp_field_text(request, answer, "query", "", &query)) {
    return;
  }
  const bool mode = os->has_slots && asks(&query, "mode");
  const bool model = os->models_target != NULL && asks(&query, "model");
  if (query.size > 0 && !mode && !model) {
    no_answer(os, &query, answer);
    return;
  }
  struct cbor_writer *body = &answer->body;
  cbor_map(body, mode || model ? 2 : 1);
  cbor_text(body, "bootloader");
  cbor_text(body, os->has_slots ? "MCUboot" : "none"); /* whose format and rules it has */
  if (mode) {
    cbor_text(body, "response");
    cbor_map(body, 2);
    cbor_text(body, "mode");
    cbor_unsigned(body, DIRECT_XIP_WITH_REVERT);
    cbor_text(body, "no-downgrade");
    cbor_bool(body, true);
  } else if (model) {
    cbor_text(body, "response");
    cbor_map(body, 2);
    cbor_text(body, "target");
    cbor_text(body, os->models_target);
    cbor_text(body, "structures");
    cbor_unsigned(body, os->models_structures);
  }
}

struct smp_group smp_os_group(struct smp_os *os) {
  static const struct smp_command commands[] = {
      {ECHO, SMP_READ, echo},
      {ECHO, SMP_WRITE, echo},
      {RESET, SMP_WRITE, reset},
      {PARAMETERS, SMP_READ, parameters},
      {APPLICATION_INFO, SMP_READ, application_info},
      {BOOTLOADER_INFO, SMP_READ, bootloader_info},
  };
  return (struct smp_group){SMP_GROUP_OS, commands, sizeof commands / sizeof commands[0], os};
}

struct smp_group smp_os_basic_group(struct smp_os *os) {
  static const struct smp_command commands[] = {
      {ECHO, SMP_READ, echo},
      {ECHO, SMP_WRITE, echo},
      {RESET, SMP_WRITE, reset},
      {PARAMETERS, SMP_READ, parameters},
  };
  return (struct smp_group){SMP_GROUP_OS, commands, sizeof commands / sizeof commands[0], os};
}
