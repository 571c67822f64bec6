/* Names and ranges of all fields. */
#include "person.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"
#include "float32.h"

struct field {
  const char *name;
  float low, high;
};

static const struct field fields[PERSON_COUNT] = {
#define X(constant, name, low, high) {#name, low, high},
    PERSON_FIELDS(X)
#undef X
};

const char *person_name(enum person_field field) {
  return fields[field].name;
}

bool person_within(enum person_field field, float value, float *low, float *high) {
  *low = fields[field].low;
  *high = fields[field].high;
  return value >= *low && value <= *high;
}

void person_store(const float values[PERSON_COUNT], uint8_t bytes[PERSON_BYTES]) {
  memcpy(bytes, "TPER", 4);
  for (size_t i = 0; i < PERSON_COUNT; i++) {
    store_le32(bytes + 4 + 4 * i, (uint32_t)float32_bits(values[i]));
  }
  store_le32(bytes + PERSON_BYTES - 4, crc32_update(0, bytes, PERSON_BYTES - 4));
}

bool person_load(const uint8_t *bytes, size_t size, float values[PERSON_COUNT]) {
  for (size_t i = 0; i < PERSON_COUNT; i++) {
    values[i] = float32_nothing();
  }
  if (size != PERSON_BYTES || memcmp(bytes, "TPER", 4) != 0 ||
      load_le32(bytes + size - 4) != crc32_update(0, bytes, size - 4)) {
    return false;
  }
  for (size_t i = 0; i < PERSON_COUNT; i++) {
    float low;
    float high;
    const float value = float32_of_bits((int32_t)load_le32(bytes + 4 + 4 * i));
    values[i] = person_within((enum person_field)i, value, &low, &high) ? value : float32_nothing();
  }
  return true;
}
