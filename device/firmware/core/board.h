/* Everything the portable core needs of a board. A board fills in one of these; the core includes no other board
   header.

   All functions are called from the main loop alone and never from an interrupt, with the board's `context`. None waits
   without a limit. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash.h"
#include "status.h"

enum reset_cause { RESET_POWER, RESET_SOFTWARE, RESET_WATCHDOG };

struct board {
  void *context;         /* the board's own state */
  const char *name;      /* "thermo-edge mps2-an386", as a host lists it */
  const char *platform;  /* processor and machine */
  const char *processor; /* its instruction set as compilers call it, "armv7e-m" */
  const char *serial;    /* tells this board from all others */
  bool simulated;        /* sensors are simulated */
  enum reset_cause reset_cause;

  /* Monotonic time since the first power-on that is remembered, microseconds; never goes back, not even over a reset.
   */
  uint64_t (*now_us)(void *context);
  /* Sleep until then, or until a byte arrives on the serial line, whichever is first. May return early. */
  void (*wait_until_us)(void *context, uint64_t time_us);

  /* One transaction: write, then (after a repeated start) read. Either part may be empty. Returns OK, NACK, STUCK,
     SHORT or BUS, within 1.2 s whatever the bus does. */
  enum status (*i2c_transfer)(void *context, uint8_t address, const uint8_t *write, size_t write_size, uint8_t *read,
                              size_t read_size);
  /* Nine clocks and a STOP, so that a chip that holds SDA lets go. */
  void (*i2c_recover)(void *context);

  /* Bytes that have arrived, at most `size` of them; returns how many. Interrupts fill a ring behind it. */
  size_t (*serial_read)(void *context, uint8_t *data, size_t size);
  /* Hand over all of `data` to be sent, or nothing where it does not fit the ring at once. */
  bool (*serial_write)(void *context, const uint8_t *data, size_t size);
  /* Bytes `serial_write` would take. */
  size_t (*serial_room)(void *context);
  /* Bytes lost because nobody read in time. */
  uint32_t (*serial_overruns)(void *context);
  /* Forget what waits to be sent. */
  void (*serial_discard)(void *context);

  /* For corrections and what else is kept, from the front, and for what was seen of sensors, in the last two blocks
     where they are free. */
  struct flash flash;

  /* Has to be called every few seconds, or the board resets. */
  void (*watchdog_feed)(void *context);
  /* Restart; does not return. */
  void (*reset)(void *context);
  /* Most bytes of stack used since the start; 0 where the board cannot tell. */
  size_t (*stack_used)(void *context);
};

/* The same with their context. */
uint64_t board_now_us(const struct board *board);
void board_wait_until_us(const struct board *board, uint64_t time_us);
enum status board_i2c_transfer(const struct board *board, uint8_t address, const uint8_t *write, size_t write_size,
                               uint8_t *read, size_t read_size);
void board_i2c_recover(const struct board *board);
size_t board_serial_read(const struct board *board, uint8_t *data, size_t size);
bool board_serial_write(const struct board *board, const uint8_t *data, size_t size);
size_t board_serial_room(const struct board *board);
uint32_t board_serial_overruns(const struct board *board);
void board_serial_discard(const struct board *board);
void board_watchdog_feed(const struct board *board);
void board_reset(const struct board *board);
size_t board_stack_used(const struct board *board);

#endif
