/* The serial line as a connected socket, with a ring for what waits to be sent. */
#include "line.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void flush(struct line *line) {
  if (line->tx_size == 0) {
    return;
  }
  const ssize_t sent = send(line->connection, line->tx, line->tx_size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) {
    line->tx_size -= (size_t)sent;
    memmove(line->tx, line->tx + sent, line->tx_size);
  }
}

bool line_wait(struct line *line, int timeout_ms) {
  struct pollfd waiting = {.fd = line->connection, .events = POLLIN};
  if (line->tx_size > 0) {
    waiting.events |= POLLOUT;
  }
  if (poll(&waiting, 1, timeout_ms) <= 0) {
    return false;
  }
  if ((waiting.revents & POLLOUT) != 0) {
    flush(line);
  }
  return (waiting.revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

size_t line_read(struct line *line, uint8_t *data, size_t size) {
  flush(line);
  const ssize_t count = size == 0 ? 0 : recv(line->connection, data, size, MSG_DONTWAIT);
  if (count > 0) {
    return (size_t)count;
  }
  if (size > 0 && (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))) {
    exit(EXIT_SUCCESS); /* thermo-sim is gone */
  }
  return 0;
}

bool line_write(struct line *line, const uint8_t *data, size_t size) {
  if (size > line_room(line)) {
    return false;
  }
  memcpy(line->tx + line->tx_size, data, size);
  line->tx_size += size;
  flush(line);
  return true;
}

size_t line_room(const struct line *line) {
  return LINE_TX_BYTES - line->tx_size;
}
