/* A stream of bytes in and out: standard input and output, or an emulator's console. */
#ifndef IO_H
#define IO_H

#include <stdbool.h>
#include <stddef.h>

/* Whether so many bytes came. */
bool io_read(void *to, size_t size);

void io_write(const void *from, size_t size);

#endif
