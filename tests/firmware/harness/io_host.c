#include <stdio.h>

#include "io.h"

bool io_read(void *to, size_t size) {
  return fread(to, 1, size, stdin) == size;
}

void io_write(const void *from, size_t size) {
  fwrite(from, 1, size, stdout);
}
