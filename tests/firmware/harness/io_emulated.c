/* What is read is part of the program; what is written goes to the console in hexadecimal. */
#include <stdint.h>
#include <string.h>

#include "io.h"
#include "stream.h" /* static const uint8_t stream[] */

void say(const char *text);

static size_t at;

bool io_read(void *to, size_t size) {
  if (sizeof stream - at < size) {
    return false;
  }
  memcpy(to, stream + at, size);
  at += size;
  return true;
}

void io_write(const void *from, size_t size) {
  static const char digits[] = "0123456789abcdef";
  const uint8_t *bytes = from;
  char text[129];
  for (size_t done = 0; done < size;) {
    size_t length = 0;
    for (; done < size && length + 2U < sizeof text; done++) {
      text[length++] = digits[bytes[done] >> 4];
      text[length++] = digits[bytes[done] & 15U];
    }
    text[length] = '\0';
    say(text);
  }
}
