/* What compilers and the loader want of string.h, a byte at a time: the library has them for speed, in 570 bytes. */
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  return memmove(to, from, size);
}

void *memmove(void *to, const void *from, size_t size) {
  unsigned char *const out = to;
  const unsigned char *const in = from;
  if (out <= in) {
    for (size_t i = 0; i < size; i++) {
      out[i] = in[i];
    }
  } else {
    while (size > 0) {
      size--;
      out[size] = in[size];
    }
  }
  return to;
}

void *memset(void *to, int value, size_t size) {
  unsigned char *const out = to;
  for (size_t i = 0; i < size; i++) {
    out[i] = (unsigned char)value;
  }
  return to;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length] != '\0') {
    length++;
  }
  return length;
}
