/* Sentences in a fixed buffer, without the printf family. */
#include "text.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "float32.h"

size_t text_fit(const char *data, size_t size, size_t most) {
  if (size <= most) {
    return size;
  }
  while (most > 0 && ((uint8_t)data[most] & 0xC0) == 0x80) {
    most--;
  }
  return most;
}

void text_begin(struct text *text, char *data, size_t capacity) {
  text->data = data;
  text->capacity = capacity;
  text->used = 0;
  data[0] = '\0';
}

void text_add_bytes(struct text *text, const char *more, size_t size) {
  size_t fit = text_fit(more, size, text->capacity - 1 - text->used);
  memcpy(text->data + text->used, more, fit);
  text->used += fit;
  text->data[text->used] = '\0';
}

void text_add(struct text *text, const char *more) {
  text_add_bytes(text, more, strlen(more));
}

/* Decimal digits of a number, at least `width` of them. */
static void add_digits(struct text *text, uint64_t number, unsigned width) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    /* 16 bits at a time, which a processor of 32 bits divides by itself */
    uint32_t rest = 0;
    uint64_t tenth = 0;
    for (int shift = 48; shift >= 0; shift -= 16) {
      const uint32_t part = rest << 16 | (uint16_t)(number >> shift);
      tenth = tenth << 16 | part / 10U;
      rest = part % 10U;
    }
    digits[--at] = (char)('0' + rest);
    number = tenth;
  } while (at > 0 && (number > 0 || sizeof digits - at < width));
  text_add_bytes(text, digits + at, sizeof digits - at);
}

void text_add_unsigned(struct text *text, uint64_t number) {
  add_digits(text, number, 1);
}

void text_add_signed(struct text *text, int64_t number) {
  if (number < 0) {
    text_add(text, "-");
  }
  add_digits(text, number < 0 ? -(uint64_t)number : (uint64_t)number, 1);
}

void text_add_float(struct text *text, float number, unsigned decimals) {
  static const uint32_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
  if (isnan(number)) {
    text_add(text, "nan");
    return;
  }
  if (signbit(number)) {
    text_add(text, "-");
  }
  float magnitude = fabsf(number);
  if (!(magnitude < 2e9f)) {
    text_add(text, "inf");
    return;
  }
  uint32_t scale = powers[decimals <= 6 ? decimals : 6];
  uint32_t whole = (uint32_t)magnitude;
  uint32_t part = (uint32_t)float32_round((magnitude - (float)whole) * (float)scale);
  if (scale == 1) {
    /* half to even; part is of 1 */
    const float left = magnitude - (float)whole;
    whole += left > 0.5F || (left >= 0.5F && whole % 2U == 1U) ? 1U : 0U;
  } else if (part >= scale) {
    whole++;
    part = 0;
  }
  add_digits(text, whole, 1);
  if (scale > 1) {
    text_add(text, ".");
    add_digits(text, part, decimals <= 6 ? decimals : 6);
  }
}

void text_add_hex(struct text *text, const uint8_t *data, size_t size) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < size; i++) {
    const char pair[2] = {digits[data[i] >> 4], digits[data[i] & 15]};
    text_add_bytes(text, pair, sizeof pair);
  }
}
