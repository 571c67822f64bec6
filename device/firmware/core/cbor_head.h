/* The first bytes of a CBOR item: kind and argument (RFC 8949, section 3). */
#ifndef CBOR_HEAD_H
#define CBOR_HEAD_H

#include <stddef.h>
#include <stdint.h>

#include "cbor.h"

enum major { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

#define BREAK 0xFF
#define FALSE_VALUE 20
#define TRUE_VALUE 21
#define NULL_VALUE 22
#define HALF 25
#define SINGLE 26
#define DOUBLE 27

struct head {
  uint8_t major;
  uint8_t info;
  uint8_t size;
  uint64_t argument;
};

/* Bytes of a head with its shortest argument. */
size_t cbor_head_size(uint64_t argument);

/* Write such a head. */
void cbor_put_head(uint8_t *at, enum major major, uint64_t argument);

/* Read a head of any length out of `left` bytes. */
enum cbor_fault cbor_read_head(const uint8_t *at, size_t left, struct head *head);

/* Text in a checked body. */
const uint8_t *cbor_text_at(const uint8_t *at, size_t left, size_t *size);

#endif
