/* The serial line as a connected socket, with a ring for what waits to be sent. */
#include "line.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TX_SIZE 4096U

static int connection;
static uint8_t tx[TX_SIZE];
static size_t tx_size;

void line_start(int socket) {
  connection = socket;
}

static void flush(void) {
  if (tx_size == 0) {
    return;
  }
  const ssize_t sent = send(connection, tx, tx_size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) {
    tx_size -= (size_t)sent;
    memmove(tx, tx + sent, tx_size);
  }
}

bool line_wait(int timeout_ms) {
  struct pollfd waiting = {.fd = connection, .events = POLLIN};
  if (tx_size > 0) {
    waiting.events |= POLLOUT;
  }
  if (poll(&waiting, 1, timeout_ms) <= 0) {
    return false;
  }
  if ((waiting.revents & POLLOUT) != 0) {
    flush();
  }
  return (waiting.revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

size_t line_read(uint8_t *data, size_t size) {
  flush();
  const ssize_t count = size == 0 ? 0 : recv(connection, data, size, MSG_DONTWAIT);
  if (count > 0) {
    return (size_t)count;
  }
  if (size > 0 && (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))) {
    exit(EXIT_SUCCESS); /* thermo-sim is gone */
  }
  return 0;
}

bool line_write(const uint8_t *data, size_t size) {
  if (size > line_room()) {
    return false;
  }
  memcpy(tx + tx_size, data, size);
  tx_size += size;
  flush();
  return true;
}

size_t line_room(void) {
  return TX_SIZE - tx_size;
}

uint32_t line_overruns(void) {
  return 0;
}

void line_discard(void) {
  tx_size = 0;
}
