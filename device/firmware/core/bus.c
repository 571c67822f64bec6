/* I2C transactions with one chip: retries with growing pauses, and the way out of a bus that hangs. */
#include "bus.h"

#include "bytes.h"

/* Long enough for a chip that is busy with itself. */
#define RETRY_US 250U

static void count(const struct bus *bus, enum status status) {
  enum counter counter = COUNTER_BUS_ERROR;
  if (status == STATUS_NACK) {
    counter = COUNTER_BUS_NACK;
  } else if (status == STATUS_STUCK) {
    counter = COUNTER_BUS_STUCK;
  } else if (status == STATUS_SHORT) {
    counter = COUNTER_BUS_SHORT_READ;
  }
  counters_add(bus->counters, counter, 1);
}

static void pause_until(const struct board *board, uint64_t time_us) {
  while (board_now_us(board) < time_us) {
    board_wait_until_us(board, time_us);
  }
}

static enum status transfer_once(const struct bus *bus, const uint8_t *write, size_t write_size, uint8_t *read,
                                 size_t read_size) {
  enum status status = STATUS_OK;
  if (bus->way != NULL) {
    status = bus->switchboard->open(bus->switchboard, bus->board, bus->way);
  }
  if (status == STATUS_OK) {
    status = board_i2c_transfer(bus->board, bus->address, write, write_size, read, read_size);
  }
  if (status != STATUS_OK && bus->switchboard != NULL) {
    multiplexer_forget(bus->switchboard);
  }
  return status;
}

enum status bus_transfer(const struct bus *bus, const uint8_t *write, size_t write_size, uint8_t *read,
                         size_t read_size) {
  const struct board *board = bus->board;
  enum status status = STATUS_BUS;
  for (unsigned attempt = 1; attempt <= bus->attempts; attempt++) {
    status = transfer_once(bus, write, write_size, read, read_size);
    if (status == STATUS_OK) {
      return STATUS_OK;
    }
    count(bus, status);
    /* A hung bus costs a second an attempt, and several in a row are still progress. */
    board_watchdog_feed(board);
    if (status != STATUS_NACK && status != STATUS_SHORT) {
      board_i2c_recover(board);
      counters_add(bus->counters, COUNTER_BUS_RECOVERED, 1);
    }
    pause_until(board, board_now_us(board) + (uint64_t)RETRY_US * attempt);
  }
  return status;
}

static size_t put_pointer(uint8_t *out, uint16_t pointer, size_t size) {
  if (size == 1) {
    out[0] = (uint8_t)pointer;
    return 1;
  }
  store_be16(out, pointer);
  return 2;
}

enum status bus_read_words(const struct bus *bus, uint16_t pointer, size_t pointer_size, uint16_t *words,
                           size_t count) {
  uint8_t head[2];
  uint8_t *bytes = (uint8_t *)words;
  enum status status = bus_transfer(bus, head, put_pointer(head, pointer, pointer_size), bytes, 2 * count);
  if (status != STATUS_OK) {
    return status;
  }
  for (size_t i = 0; i < count; i++) {
    words[i] = load_be16(bytes + 2 * i);
  }
  return STATUS_OK;
}

enum status bus_write_word(const struct bus *bus, uint16_t pointer, size_t pointer_size, uint16_t word) {
  uint8_t bytes[4];
  size_t size = put_pointer(bytes, pointer, pointer_size);
  store_be16(bytes + size, word);
  return bus_transfer(bus, bytes, size + 2, NULL, 0);
}

void bus_pause(const struct bus *bus, uint32_t pause_us) {
  pause_until(bus->board, board_now_us(bus->board) + pause_us);
}

const char *bus_sentence(enum status status) {
  switch (status) {
    case STATUS_OK:
      return "";
    case STATUS_NACK:
      return "The chip does not acknowledge; check its address, supply and wiring.";
    case STATUS_STUCK:
      return "The I2C bus hung; check pull-ups and wiring.";
    case STATUS_SHORT:
      return "A read ended early; shorten the wires or lower the bus frequency.";
    case STATUS_BAD_EEPROM:
      return "The EEPROM holds constants that no sensor has; reset, and replace the sensor if it stays so.";
    case STATUS_BAD_PIXELS:
      return "The EEPROM marks more bad pixels than are allowed, or two that touch; replace the sensor.";
    case STATUS_DAMAGED:
      return "What the chip says does not hold its checksum; shorten the wires.";
    case STATUS_WRONG_CHIP:
      return "A chip of another kind answers; check the profile and the wiring.";
    default:
      return "The I2C controller failed; reset the board.";
  }
}
