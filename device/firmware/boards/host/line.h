/* The serial line as a connected socket. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void line_start(int socket);
/* Move what waits to be sent until a byte has arrived (true) or the time is over. Ends the program where the other side
   has hung up. */
bool line_wait(int timeout_ms);
size_t line_read(uint8_t *data, size_t size);
bool line_write(const uint8_t *data, size_t size);
size_t line_room(void);
uint32_t line_overruns(void);
void line_discard(void);

#endif
