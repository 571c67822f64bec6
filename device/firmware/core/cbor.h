/* CBOR as SMP bodies use it: a writer into a fixed buffer, and a reader without copies.

   A body from outside is checked once by cbor_check; lookups in a checked body cannot fail in any other way than not to
   find. */
#ifndef CBOR_H
#define CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

#define CBOR_MAX_DEPTH 16 /* maps and lists within one another */
#define CBOR_MAX_KEYS 64  /* keys of all maps that are open at one place of a body */

struct cbor_writer {
  uint8_t *data;
  size_t capacity;
  size_t used;
  bool overflow; /* something did not fit; what is there is of no use */
};

void cbor_begin(struct cbor_writer *writer, uint8_t *data, size_t capacity);
void cbor_map(struct cbor_writer *writer, uint32_t pairs);
void cbor_array(struct cbor_writer *writer, uint32_t items);
void cbor_unsigned(struct cbor_writer *writer, uint64_t number);
void cbor_signed(struct cbor_writer *writer, int64_t number);
void cbor_bool(struct cbor_writer *writer, bool value);
void cbor_null(struct cbor_writer *writer);
/* In half precision where that is exact. */
void cbor_float(struct cbor_writer *writer, float number);
void cbor_text(struct cbor_writer *writer, const char *text);
/* Text of `size` bytes without a zero byte at its end. */
void cbor_text_bytes(struct cbor_writer *writer, const uint8_t *text, size_t size);
void cbor_bytes(struct cbor_writer *writer, const uint8_t *data, size_t size);
/* A byte string of `size` bytes that the caller fills in; NULL where it does not fit. */
uint8_t *cbor_reserve_bytes(struct cbor_writer *writer, size_t size);
/* A list whose length is not known yet: open it, write the items, close it with their number. */
size_t cbor_open_array(struct cbor_writer *writer);
void cbor_close_array(struct cbor_writer *writer, size_t opened, uint32_t items);

enum cbor_kind {
  CBOR_UNSIGNED, /* number */
  CBOR_NEGATIVE, /* -1 - number */
  CBOR_BYTES,    /* data, size */
  CBOR_TEXT,     /* data, size; UTF-8 without a zero byte at the end */
  CBOR_ARRAY,    /* data, size: itself, for cbor_next */
  CBOR_MAP,      /* data, size: itself, for cbor_find and cbor_next */
  CBOR_BOOL,     /* number */
  CBOR_NULL,
  CBOR_FLOAT, /* real; a double is rounded, and a finite one stays finite */
};

struct cbor_item {
  enum cbor_kind kind;
  uint64_t number;
  float real;
  const uint8_t *data;
  size_t size;
};

enum cbor_fault {
  CBOR_GOOD,
  CBOR_CUT_SHORT, /* it ends too early */
  CBOR_MALFORMED, /* a code that does not exist, or text that is not UTF-8 */
  CBOR_TYPE,      /* tags, undefined, other simple values */
  CBOR_KEY,       /* a key that is no text */
  CBOR_DUPLICATE, /* two equal keys in one map */
  CBOR_TOO_DEEP,
  CBOR_TOO_MANY, /* keys */
  CBOR_NO_MAP,   /* something other than a map */
};

/* Check that `body` begins with one map as docs/wire.md allows. Strings that came in pieces are joined in place, so the
   map can become shorter: `*size` is its size afterwards. What follows it is ignored, as the Python agent and zcbor do.
   Nothing, size 0, counts as an empty map. */
enum cbor_fault cbor_check(uint8_t *body, size_t *size);
/* What is wrong with a body, as the end of a sentence. */
const char *cbor_fault_text(enum cbor_fault fault);

/* The value of `key` in a checked body; false where it has none. */
bool cbor_find(const uint8_t *body, size_t size, const char *key, struct cbor_item *item);

/* The items of a list, or keys and values of a map by turns; `*at` is NULL before the first. False at the end. */
bool cbor_next(const struct cbor_item *whole, const uint8_t **at, struct cbor_item *item);

#endif
