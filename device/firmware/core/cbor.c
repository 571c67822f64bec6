/* CBOR (RFC 8949): writer, check of a body from outside, and lookup in a checked one. */
#include "cbor.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "bytes.h"

enum major { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

#define BREAK 0xFF
#define FALSE_VALUE 20
#define TRUE_VALUE 21
#define NULL_VALUE 22
#define HALF 25
#define SINGLE 26
#define DOUBLE 27

/* Writer. */

void cbor_begin(struct cbor_writer *writer, uint8_t *data, size_t capacity) {
  writer->data = data;
  writer->capacity = capacity;
  writer->used = 0;
  writer->overflow = false;
}

static uint8_t *reserve(struct cbor_writer *writer, size_t size) {
  if (writer->overflow || size > writer->capacity - writer->used) {
    writer->overflow = true;
    return NULL;
  }
  uint8_t *at = writer->data + writer->used;
  writer->used += size;
  return at;
}

/* Bytes of a head with its shortest argument. */
static size_t head_size(uint64_t argument) {
  return argument < 24 ? 1 : argument <= UINT8_MAX ? 2 : argument <= UINT16_MAX ? 3 : argument <= UINT32_MAX ? 5 : 9;
}

static void put_head(uint8_t *at, enum major major, uint64_t argument) {
  uint8_t code = (uint8_t)(major << 5);
  switch (head_size(argument)) {
    case 1:
      at[0] = (uint8_t)(code | argument);
      break;
    case 2:
      at[0] = code | 24;
      at[1] = (uint8_t)argument;
      break;
    case 3:
      at[0] = code | 25;
      store_be16(at + 1, (uint16_t)argument);
      break;
    case 5:
      at[0] = code | 26;
      store_be32(at + 1, (uint32_t)argument);
      break;
    default:
      at[0] = code | 27;
      store_be64(at + 1, argument);
      break;
  }
}

static void write_head(struct cbor_writer *writer, enum major major, uint64_t argument) {
  uint8_t *at = reserve(writer, head_size(argument));
  if (at != NULL) {
    put_head(at, major, argument);
  }
}

void cbor_map(struct cbor_writer *writer, uint32_t pairs) {
  write_head(writer, MAP, pairs);
}

void cbor_array(struct cbor_writer *writer, uint32_t items) {
  write_head(writer, ARRAY, items);
}

void cbor_unsigned(struct cbor_writer *writer, uint64_t number) {
  write_head(writer, UNSIGNED, number);
}

void cbor_signed(struct cbor_writer *writer, int64_t number) {
  if (number >= 0) {
    write_head(writer, UNSIGNED, (uint64_t)number);
  } else {
    write_head(writer, NEGATIVE, ~(uint64_t)number);
  }
}

void cbor_bool(struct cbor_writer *writer, bool value) {
  write_head(writer, SIMPLE, value ? TRUE_VALUE : FALSE_VALUE);
}

void cbor_null(struct cbor_writer *writer) {
  write_head(writer, SIMPLE, NULL_VALUE);
}

/* Half precision of a number, where that is exact. */
static bool as_half(uint32_t bits, uint16_t *half) {
  uint32_t sign = bits >> 16 & 0x8000;
  uint32_t exponent = bits >> 23 & 0xFF;
  uint32_t mantissa = bits & 0x7FFFFF;
  if (exponent == 0xFF) {
    *half = (uint16_t)(mantissa != 0 ? 0x7E00 : sign | 0x7C00);
    return true;
  }
  if (exponent == 0) {
    *half = (uint16_t)sign;
    return mantissa == 0;
  }
  if (exponent >= 113 && exponent <= 142) {
    *half = (uint16_t)(sign | (exponent - 112) << 10 | mantissa >> 13);
    return (mantissa & 0x1FFF) == 0;
  }
  if (exponent >= 103 && exponent < 113) { /* subnormal in half precision: units of 2^-24 */
    uint32_t shift = 126 - exponent;
    uint32_t whole = mantissa | 0x800000;
    *half = (uint16_t)(sign | whole >> shift);
    return (whole & ((1U << shift) - 1)) == 0;
  }
  return false;
}

void cbor_float(struct cbor_writer *writer, float number) {
  uint32_t bits;
  memcpy(&bits, &number, sizeof bits);
  uint16_t half;
  bool short_form = as_half(bits, &half);
  uint8_t *at = reserve(writer, short_form ? 3 : 5);
  if (at == NULL) {
    return;
  }
  at[0] = (uint8_t)(SIMPLE << 5 | (short_form ? HALF : SINGLE));
  if (short_form) {
    store_be16(at + 1, half);
  } else {
    store_be32(at + 1, bits);
  }
}

static uint8_t *reserve_string(struct cbor_writer *writer, enum major major, size_t size) {
  write_head(writer, major, size);
  return reserve(writer, size);
}

void cbor_text_bytes(struct cbor_writer *writer, const uint8_t *text, size_t size) {
  uint8_t *at = reserve_string(writer, TEXT, size);
  if (at != NULL && size > 0) {
    memcpy(at, text, size);
  }
}

void cbor_text(struct cbor_writer *writer, const char *text) {
  cbor_text_bytes(writer, (const uint8_t *)text, strlen(text));
}

void cbor_bytes(struct cbor_writer *writer, const uint8_t *data, size_t size) {
  uint8_t *at = cbor_reserve_bytes(writer, size);
  if (at != NULL && size > 0) {
    memcpy(at, data, size);
  }
}

uint8_t *cbor_reserve_bytes(struct cbor_writer *writer, size_t size) {
  return reserve_string(writer, BYTES, size);
}

size_t cbor_open_array(struct cbor_writer *writer) {
  size_t opened = writer->used;
  reserve(writer, 1);
  return opened;
}

void cbor_close_array(struct cbor_writer *writer, size_t opened, uint32_t items) {
  size_t head = head_size(items);
  size_t written = writer->used - opened;
  reserve(writer, head - 1);
  if (!writer->overflow) {
    memmove(writer->data + opened + head, writer->data + opened + 1, written - 1);
    put_head(writer->data + opened, ARRAY, items);
  }
}

/* Reader. */

struct head {
  uint8_t major;
  uint8_t info;
  uint8_t size;
  uint64_t argument;
};

static enum cbor_fault read_head(const uint8_t *at, size_t left, struct head *head) {
  if (left == 0) {
    return CBOR_CUT_SHORT;
  }
  head->major = at[0] >> 5;
  head->info = at[0] & 31;
  head->argument = head->info;
  head->size = 1;
  if (head->info < 24 || head->info == 31) {
    return CBOR_GOOD;
  }
  if (head->info > 27) {
    return CBOR_MALFORMED;
  }
  size_t bytes = (size_t)1 << (head->info - 24);
  if (left - 1 < bytes) {
    return CBOR_CUT_SHORT;
  }
  head->argument = 0;
  for (size_t i = 1; i <= bytes; i++) {
    head->argument = head->argument << 8 | at[i];
  }
  head->size = (uint8_t)(1 + bytes);
  return CBOR_GOOD;
}

static bool is_utf8(const uint8_t *data, size_t size) {
  for (size_t i = 0; i < size;) {
    uint8_t first = data[i++];
    if (first < 0x80) {
      continue;
    }
    size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    if (first < 0xC2 || first > 0xF4 || size - i < more) {
      return false;
    }
    /* The second byte rules out long forms, surrogates and what lies beyond 10FFFF. */
    uint8_t least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    uint8_t most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (data[i] < least || data[i] > most) {
      return false;
    }
    for (size_t j = 1; j < more; j++) {
      if ((data[i + j] & 0xC0) != 0x80) {
        return false;
      }
    }
    i += more;
  }
  return true;
}

/* A map or list that is open. */
struct level {
  uint32_t left; /* items that follow, where the number is known */
  bool map;
  bool indefinite;
  bool value_next; /* in a map: a key was read */
  uint8_t keys;    /* of the maps around it */
};

struct check {
  uint8_t *body;
  size_t size;
  size_t read;    /* next byte to look at */
  size_t written; /* end of what was checked, with strings joined */
  size_t depth;
  size_t key_count;
  struct level levels[CBOR_MAX_DEPTH];
  uint16_t keys[CBOR_MAX_KEYS]; /* where they begin, of all open maps */
};

static void keep(struct check *check, size_t bytes) {
  if (check->written != check->read) {
    memmove(check->body + check->written, check->body + check->read, bytes);
  }
  check->written += bytes;
  check->read += bytes;
}

/* A string of known length at `read`. */
static enum cbor_fault check_string(struct check *check, const struct head *head) {
  const uint8_t *data = check->body + check->read + head->size;
  if (head->argument > check->size - check->read - head->size) {
    return CBOR_CUT_SHORT;
  }
  return head->major == TEXT && !is_utf8(data, (size_t)head->argument) ? CBOR_MALFORMED : CBOR_GOOD;
}

/* Join the pieces of a string and give it a head of its own. The pieces' heads and the break take at least the bytes of
   that head, but it can only be put in once the length is known. */
static enum cbor_fault join_string(struct check *check, uint8_t major) {
  size_t begin = check->written;
  check->read++;
  for (;;) {
    struct head head;
    if (check->read < check->size && check->body[check->read] == BREAK) {
      check->read++;
      break;
    }
    enum cbor_fault fault = read_head(check->body + check->read, check->size - check->read, &head);
    if (fault != CBOR_GOOD) {
      return fault;
    }
    if (head.major != major || head.info == 31) {
      return CBOR_MALFORMED;
    }
    fault = check_string(check, &head);
    if (fault != CBOR_GOOD) {
      return fault;
    }
    check->read += head.size;
    keep(check, (size_t)head.argument);
  }
  size_t length = check->written - begin;
  size_t head = head_size(length);
  memmove(check->body + begin + head, check->body + begin, length);
  put_head(check->body + begin, (enum major)major, length);
  check->written += head;
  return CBOR_GOOD;
}

/* Text in a checked body. */
static const uint8_t *text_at(const uint8_t *at, size_t left, size_t *size) {
  struct head head;
  if (read_head(at, left, &head) != CBOR_GOOD || head.argument > left - head.size) {
    *size = 0;
    return at;
  }
  *size = (size_t)head.argument;
  return at + head.size;
}

static enum cbor_fault add_key(struct check *check, size_t begin, const struct level *level) {
  size_t size;
  const uint8_t *key = text_at(check->body + begin, check->written - begin, &size);
  for (size_t i = level->keys; i < check->key_count; i++) {
    size_t other_size;
    const uint8_t *other = text_at(check->body + check->keys[i], check->written - check->keys[i], &other_size);
    if (size == other_size && memcmp(key, other, size) == 0) {
      return CBOR_DUPLICATE;
    }
  }
  if (check->key_count == CBOR_MAX_KEYS) {
    return CBOR_TOO_MANY;
  }
  check->keys[check->key_count++] = (uint16_t)begin;
  return CBOR_GOOD;
}

static enum cbor_fault open_level(struct check *check, const struct head *head) {
  bool map = head->major == MAP;
  size_t left = check->size - check->read - head->size;
  if (check->depth == CBOR_MAX_DEPTH) {
    return CBOR_TOO_DEEP;
  }
  if (head->info != 31 && head->argument > (map ? left / 2 : left)) {
    return CBOR_CUT_SHORT;
  }
  struct level *level = &check->levels[check->depth++];
  level->left = head->info == 31 ? 0 : (uint32_t)head->argument * (map ? 2 : 1);
  level->map = map;
  level->indefinite = head->info == 31;
  level->value_next = false;
  level->keys = (uint8_t)check->key_count;
  return CBOR_GOOD;
}

static void close_level(struct check *check) {
  check->depth--;
  check->key_count = check->levels[check->depth].keys;
}

static enum cbor_fault check_simple(struct check *check, const struct head *head) {
  if (head->info == 24) {
    return head->argument < 32 ? CBOR_MALFORMED : CBOR_TYPE;
  }
  if (head->info == 31) {
    return CBOR_MALFORMED;
  }
  if (head->info < FALSE_VALUE || head->info == NULL_VALUE + 1) {
    return CBOR_TYPE;
  }
  keep(check, head->size);
  return CBOR_GOOD;
}

/* One item, or the head of a map or list. */
static enum cbor_fault check_item(struct check *check) {
  struct level *level = check->depth > 0 ? &check->levels[check->depth - 1] : NULL;
  size_t begin = check->written;
  bool key = level != NULL && level->map && !level->value_next;
  struct head head;
  enum cbor_fault fault = read_head(check->body + check->read, check->size - check->read, &head);
  if (fault != CBOR_GOOD) {
    return fault;
  }
  if (level != NULL) {
    level->left -= level->indefinite ? 0 : 1;
    level->value_next = key;
  }
  if (level == NULL && head.major != MAP) {
    return CBOR_NO_MAP;
  }
  if (key && head.major != TEXT) {
    return CBOR_KEY;
  }
  switch (head.major) {
    case UNSIGNED:
    case NEGATIVE:
      if (head.info == 31) {
        return CBOR_MALFORMED;
      }
      keep(check, head.size);
      return CBOR_GOOD;
    case BYTES:
    case TEXT:
      if (head.info == 31) {
        fault = join_string(check, head.major);
      } else {
        fault = check_string(check, &head);
        if (fault == CBOR_GOOD) {
          keep(check, head.size + (size_t)head.argument);
        }
      }
      return fault == CBOR_GOOD && key ? add_key(check, begin, level) : fault;
    case ARRAY:
    case MAP:
      fault = open_level(check, &head);
      if (fault == CBOR_GOOD) {
        keep(check, head.size);
      }
      return fault;
    case SIMPLE:
      return check_simple(check, &head);
    case TAG:
    default:
      return head.info == 31 ? CBOR_MALFORMED : CBOR_TYPE;
  }
}

enum cbor_fault cbor_check(uint8_t *body, size_t *size) {
  if (*size == 0) {
    return CBOR_GOOD;
  }
  if (*size > UINT16_MAX) {
    return CBOR_TOO_MANY;
  }
  struct check check = {.body = body, .size = *size};
  do {
    struct level *level = check.depth > 0 ? &check.levels[check.depth - 1] : NULL;
    if (level != NULL && level->indefinite && check.read < check.size && body[check.read] == BREAK) {
      if (level->value_next) {
        return CBOR_MALFORMED;
      }
      keep(&check, 1);
      close_level(&check);
    } else if (level != NULL && !level->indefinite && level->left == 0) {
      close_level(&check);
    } else {
      enum cbor_fault fault = check_item(&check);
      if (fault != CBOR_GOOD) {
        return fault;
      }
    }
  } while (check.depth > 0);
  *size = check.written;
  return CBOR_GOOD;
}

const char *cbor_fault_text(enum cbor_fault fault) {
  switch (fault) {
    case CBOR_CUT_SHORT:
      return "ends before its CBOR does";
    case CBOR_TYPE:
      return "holds CBOR other than numbers, text, bytes, booleans, null, lists and maps";
    case CBOR_KEY:
      return "has a map with a key that is no text";
    case CBOR_DUPLICATE:
      return "has a map with the same key twice";
    case CBOR_TOO_DEEP:
      return "nests deeper than 16 levels";
    case CBOR_TOO_MANY:
      return "has more than 64 keys at once";
    case CBOR_NO_MAP:
      return "is no CBOR map";
    case CBOR_GOOD:
    case CBOR_MALFORMED:
    default:
      return "is not CBOR";
  }
}

static float from_bits(uint32_t bits) {
  float number;
  memcpy(&number, &bits, sizeof number);
  return number;
}

static float from_half(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16;
  uint32_t exponent = half >> 10 & 31;
  uint32_t mantissa = half & 0x3FF;
  if (exponent == 0) {
    float magnitude = (float)mantissa * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
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

static void read_item(const uint8_t *at, const struct head *head, struct cbor_item *item) {
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
      if (read_head(at, (size_t)(end - at), &head) != CBOR_GOOD) {
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

bool cbor_find(const uint8_t *body, size_t size, const char *key, struct cbor_item *item) {
  const uint8_t *at = body;
  const uint8_t *end = body + size;
  size_t key_size = strlen(key);
  struct head head;
  if (size == 0 || read_head(at, size, &head) != CBOR_GOOD || head.major != MAP) {
    return false;
  }
  at += head.size;
  for (uint64_t left = head.info == 31 ? UINT64_MAX : head.argument; left > 0 && at < end && *at != BREAK; left--) {
    size_t found_size;
    const uint8_t *found = text_at(at, (size_t)(end - at), &found_size);
    bool same = found_size == key_size && memcmp(found, key, key_size) == 0;
    at = skip_item(at, end);
    if (at == end || read_head(at, (size_t)(end - at), &head) != CBOR_GOOD) {
      return false;
    }
    if (same) {
      read_item(at, &head, item);
      return true;
    }
    at = skip_item(at, end);
  }
  return false;
}
