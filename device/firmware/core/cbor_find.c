/* Lookup in a body that was checked. */
#include <float.h>
#include <string.h>

#include "cbor_head.h"

static float from_bits(uint32_t bits) {
  float number;
  memcpy(&number, &bits, sizeof number);
  return number;
}

static float from_half(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16;
  uint32_t exponent = half >> 10 & 31;
  uint32_t mantissa = half & 0x3FF;
  if (exponent == 0 && mantissa == 0) {
    return from_bits(sign);
  }
  if (exponent == 0) { /* without arithmetic, for loaders whose processor has none for floats */
    for (exponent = 1; (mantissa & 0x400) == 0; exponent--) {
      mantissa <<= 1;
    }
    return from_bits(sign | (exponent + 112) << 23 | (mantissa & 0x3FF) << 13);
  }
  return from_bits(sign | (exponent == 31 ? 0xFFU : exponent + 112) << 23 | mantissa << 13);
}

/* Round to nearest, ties to even; what is finite stays finite. */
static float from_double(uint64_t bits) {
  uint32_t sign = (uint32_t)(bits >> 32) & 0x80000000;
  int32_t exponent = (int32_t)(bits >> 52 & 0x7FF);
  uint64_t mantissa = bits & 0xFFFFFFFFFFFFF;
  if (exponent == 0x7FF) {
    return from_bits(sign | 0x7F800000 | (mantissa != 0 ? 0x400000U : 0U));
  }
  int32_t power = exponent - 1023;
  int32_t shift = power >= -126 ? 29 : 29 - 126 - power;
  if (exponent == 0 || shift > 54) {
    return from_bits(sign);
  }
  if (power > 127) {
    return sign != 0 ? -FLT_MAX : FLT_MAX;
  }
  mantissa |= (uint64_t)1 << 52;
  uint32_t kept = (uint32_t)(mantissa >> shift);
  uint64_t rest = mantissa & (((uint64_t)1 << shift) - 1);
  uint64_t half = (uint64_t)1 << (shift - 1);
  kept += rest > half || (rest == half && (kept & 1) != 0) ? 1 : 0;
  uint32_t magnitude = kept + (power >= -126 ? (uint32_t)(power + 126) << 23 : 0);
  return magnitude >= 0x7F800000 ? (sign != 0 ? -FLT_MAX : FLT_MAX) : from_bits(sign | magnitude);
}

/* The byte after an item of a checked body; `end` where it is not one. */
static const uint8_t *skip_item(const uint8_t *at, const uint8_t *end) {
  uint32_t left[CBOR_MAX_DEPTH + 1] = {1};
  size_t depth = 0;
  while (at < end) {
    struct head head;
    if (left[depth] == UINT32_MAX && *at == BREAK) {
      at++;
      depth--;
    } else {
      if (cbor_read_head(at, (size_t)(end - at), &head) != CBOR_GOOD) {
        return end;
      }
      at += head.size;
      left[depth] -= left[depth] == UINT32_MAX ? 0 : 1;
      if (head.major == ARRAY || head.major == MAP) {
        if (depth == CBOR_MAX_DEPTH) {
          return end;
        }
        left[++depth] = head.info == 31 ? UINT32_MAX : (uint32_t)head.argument * (head.major == MAP ? 2 : 1);
      } else if (head.major == BYTES || head.major == TEXT) {
        if (head.argument > (size_t)(end - at)) {
          return end;
        }
        at += head.argument;
      }
    }
    while (left[depth] == 0) {
      if (depth == 0) {
        return at;
      }
      depth--;
    }
  }
  return end;
}

static void read_item(const uint8_t *at, const uint8_t *end, const struct head *head, struct cbor_item *item) {
  static const enum cbor_kind kinds[] = {CBOR_UNSIGNED, CBOR_NEGATIVE, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP};
  item->number = head->argument;
  item->real = 0.0f;
  item->data = NULL;
  item->size = 0;
  if (head->major < TAG) {
    item->kind = kinds[head->major];
    if (head->major == BYTES || head->major == TEXT) {
      item->data = at + head->size;
      item->size = (size_t)head->argument;
    } else if (head->major == ARRAY || head->major == MAP) {
      item->data = at;
      item->size = (size_t)(skip_item(at, end) - at);
    }
    return;
  }
  if (head->info == HALF || head->info == SINGLE || head->info == DOUBLE) {
    item->kind = CBOR_FLOAT;
    item->real = head->info == HALF     ? from_half((uint16_t)head->argument)
                 : head->info == SINGLE ? from_bits((uint32_t)head->argument)
                                        : from_double(head->argument);
    return;
  }
  item->kind = head->info == NULL_VALUE ? CBOR_NULL : CBOR_BOOL;
  item->number = head->info == TRUE_VALUE ? 1 : 0;
}

bool cbor_find(const uint8_t *body, size_t size, const char *key, struct cbor_item *item) {
  const uint8_t *at = body;
  const uint8_t *end = body + size;
  size_t key_size = strlen(key);
  struct head head;
  if (size == 0 || cbor_read_head(at, size, &head) != CBOR_GOOD || head.major != MAP) {
    return false;
  }
  at += head.size;
  for (uint64_t left = head.info == 31 ? UINT64_MAX : head.argument; left > 0 && at < end && *at != BREAK; left--) {
    size_t found_size;
    const uint8_t *found = cbor_text_at(at, (size_t)(end - at), &found_size);
    bool same = found_size == key_size && memcmp(found, key, key_size) == 0;
    at = skip_item(at, end);
    if (at == end || cbor_read_head(at, (size_t)(end - at), &head) != CBOR_GOOD) {
      return false;
    }
    if (same) {
      read_item(at, end, &head, item);
      return true;
    }
    at = skip_item(at, end);
  }
  return false;
}

bool cbor_next(const struct cbor_item *whole, const uint8_t **at, struct cbor_item *item) {
  const uint8_t *const end = whole->data + whole->size;
  struct head head;
  if (*at == NULL) {
    if (cbor_read_head(whole->data, whole->size, &head) != CBOR_GOOD) {
      return false;
    }
    *at = whole->data + head.size;
  }
  if (*at >= end || **at == BREAK || cbor_read_head(*at, (size_t)(end - *at), &head) != CBOR_GOOD) {
    return false;
  }
  read_item(*at, end, &head, item);
  *at = skip_item(*at, end);
  return true;
}
