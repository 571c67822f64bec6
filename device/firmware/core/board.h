/* Everything the portable core needs of a board. A board fills in one of these; the core includes no other board
   header.

   All functions are called from the main loop alone and never from an interrupt. None waits without a limit. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum reset_cause { RESET_POWER, RESET_SOFTWARE, RESET_WATCHDOG };

struct board {
  const char *name;      /* "thermo-edge mps2-an386", as a host lists it */
  const char *platform;  /* processor and machine */
  const char *processor; /* its instruction set as compilers call it, "armv7e-m" */
  const char *serial;    /* tells this board from all others */
  bool simulated;        /* sensors are simulated */

  /* Monotonic time since the first power-on that is remembered, microseconds; never goes back, not even over a reset.
   */
  uint64_t (*now_us)(void);
  /* Sleep until then, or until a byte arrives on the serial line, whichever is first. May return early. */
  void (*wait_until_us)(uint64_t time_us);

  /* One transaction: write, then (after a repeated start) read. Either part may be empty. Returns OK, NACK, STUCK,
     SHORT or BUS, within 1.2 s whatever the bus does. */
  enum status (*i2c_transfer)(uint8_t address, const uint8_t *write, size_t write_size, uint8_t *read,
                              size_t read_size);
  /* Nine clocks and a STOP, so that a chip that holds SDA lets go. */
  void (*i2c_recover)(void);

  /* Bytes that have arrived, at most `size` of them; returns how many. Interrupts fill a ring behind it. */
  size_t (*serial_read)(uint8_t *data, size_t size);
  /* Hand over all of `data` to be sent, or nothing where it does not fit the ring at once. */
  bool (*serial_write)(const uint8_t *data, size_t size);
  /* Bytes `serial_write` would take now. */
  size_t (*serial_room)(void);
  /* Bytes lost because nobody read in time. */
  uint32_t (*serial_overruns)(void);
  /* Forget what waits to be sent. */
  void (*serial_discard)(void);

  /* Memory-mapped flash for calibrations, from the front, and for what was seen of sensors, in the last two pages where
     they are free: `flash_pages` pages of `flash_page_size` bytes. Erasing sets a page
     to 0xFF; programming clears bits, in multiples of 8 bytes at offsets that are multiples of 8. Power may fail at any
     time in either. */
  const uint8_t *flash;
  size_t flash_page_size;
  size_t flash_pages;
  enum status (*flash_erase)(size_t page);
  enum status (*flash_program)(size_t offset, const uint8_t *data, size_t size);

  /* Has to be called every few seconds, or the board resets. */
  void (*watchdog_feed)(void);
  /* Restart; does not return. */
  void (*reset)(void);
  enum reset_cause reset_cause;
  /* Most bytes of stack used since the start; 0 where the board cannot tell. */
  size_t (*stack_used)(void);
};

#endif
