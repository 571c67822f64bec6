/* Each of a board's functions with its context: a call of one of these is shorter than one through the table. */
#include "board.h"

uint64_t board_now_us(const struct board *board) {
  return board->now_us(board->context);
}

void board_wait_until_us(const struct board *board, uint64_t time_us) {
  board->wait_until_us(board->context, time_us);
}

enum status board_i2c_transfer(const struct board *board, uint8_t address, const uint8_t *write, size_t write_size,
                               uint8_t *read, size_t read_size) {
  return board->i2c_transfer(board->context, address, write, write_size, read, read_size);
}

void board_i2c_recover(const struct board *board) {
  board->i2c_recover(board->context);
}

size_t board_serial_read(const struct board *board, uint8_t *data, size_t size) {
  return board->serial_read(board->context, data, size);
}

bool board_serial_write(const struct board *board, const uint8_t *data, size_t size) {
  return board->serial_write(board->context, data, size);
}

size_t board_serial_room(const struct board *board) {
  return board->serial_room(board->context);
}

uint32_t board_serial_overruns(const struct board *board) {
  return board->serial_overruns(board->context);
}

void board_serial_discard(const struct board *board) {
  board->serial_discard(board->context);
}

void board_watchdog_feed(const struct board *board) {
  board->watchdog_feed(board->context);
}

void board_reset(const struct board *board) {
  board->reset(board->context);
}

size_t board_stack_used(const struct board *board) {
  return board->stack_used(board->context);
}
