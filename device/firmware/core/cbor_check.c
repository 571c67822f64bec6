/* The check of a body from outside, which may hold anything. */
#include <string.h>

#include "cbor_head.h"

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
    enum cbor_fault fault = cbor_read_head(check->body + check->read, check->size - check->read, &head);
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
  size_t head = cbor_head_size(length);
  memmove(check->body + begin + head, check->body + begin, length);
  cbor_put_head(check->body + begin, (enum major)major, length);
  check->written += head;
  return CBOR_GOOD;
}

static enum cbor_fault add_key(struct check *check, size_t begin, const struct level *level) {
  size_t size;
  const uint8_t *key = cbor_text_at(check->body + begin, check->written - begin, &size);
  for (size_t i = level->keys; i < check->key_count; i++) {
    size_t other_size;
    const uint8_t *other = cbor_text_at(check->body + check->keys[i], check->written - check->keys[i], &other_size);
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
  enum cbor_fault fault = cbor_read_head(check->body + check->read, check->size - check->read, &head);
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
