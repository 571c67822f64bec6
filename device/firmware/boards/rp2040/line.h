/* The serial line: USB while a host has that open, and the UART otherwise. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Start both; returns the board's serial number, by which USB tells it from others. */
const char *line_start(void);
/* Whether this is a simulation, and no silicon. */
bool line_is_simulated(void);
size_t line_read(void *context, uint8_t *data, size_t size);
bool line_write(void *context, const uint8_t *data, size_t size);
size_t line_room(void *context);
uint32_t line_overruns(void *context);
void line_discard(void *context);
bool line_has_input(void);

#endif
