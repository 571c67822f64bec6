/* The serial line as a connected socket. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_TX_BYTES 4096U

struct line {
  int connection;
  uint8_t tx[LINE_TX_BYTES]; /* what waits to be sent */
  size_t tx_size;
};

/* Move what waits to be sent until a byte has arrived (true) or the time is over. Ends the program where the other side
   has hung up. */
bool line_wait(struct line *line, int timeout_ms);
size_t line_read(struct line *line, uint8_t *data, size_t size);
bool line_write(struct line *line, const uint8_t *data, size_t size);
size_t line_room(const struct line *line);

#endif
