/* The serial line to the host: interrupts move bytes between it and two rings. There is one, so a board's context is
   NULL. Each board has its own. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void line_start(void);
/* No interrupt of it any more, and nothing that it moves by itself. */
void line_stop(void);
size_t line_read(void *context, uint8_t *data, size_t size);
/* All of it or nothing. */
bool line_write(void *context, const uint8_t *data, size_t size);
size_t line_room(void *context);
uint32_t line_overruns(void *context);
void line_discard(void *context);
bool line_has_input(void);

#endif
