/* Sentences put together in a fixed buffer, for refusals, events and self-tests. What does not fit is cut between
   characters; the text always ends with a zero byte. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
  char *data;
  size_t capacity; /* bytes, the zero included */
  size_t used;     /* bytes without the zero */
};

/* How many of the `size` bytes of UTF-8 make whole characters within `most` bytes. */
size_t text_fit(const char *data, size_t size, size_t most);

/* Begin an empty text in `data`, which has room for `capacity` bytes, at least 1. */
void text_begin(struct text *text, char *data, size_t capacity);
void text_add(struct text *text, const char *more);
/* At most `size` bytes of UTF-8 that need not end with a zero byte. */
void text_add_bytes(struct text *text, const char *more, size_t size);
void text_add_unsigned(struct text *text, uint64_t number);
void text_add_signed(struct text *text, int64_t number);
/* With `decimals` (0 to 6) places after the point; "nan" and "inf" where it is none or beyond 2e9. */
void text_add_float(struct text *text, float number, unsigned decimals);
/* Two lower-case digits a byte. */
void text_add_hex(struct text *text, const uint8_t *data, size_t size);

#endif
