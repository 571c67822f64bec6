/* What a wearable may know of its wearer: PERSON_FIELDS of wire_table.h, kept in flash. */
#ifndef PERSON_H
#define PERSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire_table.h"

enum person_field {
#define X(constant, name, low, high) PERSON_##constant,
  PERSON_FIELDS(X)
#undef X
      PERSON_COUNT
};

#define PERSON_BYTES (4U + 4U * PERSON_COUNT + 4U) /* as it is kept */

/* Name on the wire. */
const char *person_name(enum person_field field);

/* Whether a number can be of a person; the range where it cannot. */
bool person_within(enum person_field field, float value, float *low, float *high);

/* As bytes: "TPER", each number (NaN where it is not known), CRC-32. */
void person_store(const float values[PERSON_COUNT], uint8_t bytes[PERSON_BYTES]);

/* Inverse of `person_store`; false where the bytes are damaged, and then nothing is known. */
bool person_load(const uint8_t *bytes, size_t size, float values[PERSON_COUNT]);

#endif
