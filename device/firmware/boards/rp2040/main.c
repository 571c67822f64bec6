/* The board as the core sees it: an RP2040 with its flash chip, as on the Raspberry Pi Pico and the XIAO RP2040. All
   that the chip has once is in its registers, so nothing needs a context. */
#include "application.h"
#include "clock.h"
#include "i2c.h"
#include "line.h"
#include "registers.h"
#include "rom_flash.h"
#include "startup.h"
#include "watchdog.h"

int main(void);

static void wait_until_us(void *context, uint64_t time_us) {
  (void)context;
  clock_sleep_until_us(time_us, line_has_input);
}

static void watchdog_fed(void *context) {
  (void)context;
  watchdog_feed();
}

int main(void) {
  static struct board board = {
      .name = "thermo-edge rp2040",
      .platform = "Cortex-M0+, RP2040",
      .processor = "armv6-m",
      .now_us = clock_now_us,
      .wait_until_us = wait_until_us,
      .i2c_transfer = i2c_transfer,
      .i2c_recover = i2c_recover,
      .serial_read = line_read,
      .serial_write = line_write,
      .serial_room = line_room,
      .serial_overruns = line_overruns,
      .serial_discard = line_discard,
      .watchdog_feed = watchdog_fed,
      .reset = startup_reset,
      .stack_used = startup_stack_used,
  };
  board.reset_cause = startup_reset_cause();
  clock_start();
  watchdog_start();
  reset_blocks(RESETS_IO_BANK0 | RESETS_PADS_BANK0);
  board.simulated = line_is_simulated();
  board.flash = rom_flash();
  i2c_start(application_i2c_hz);
  board.serial = line_start();
  interrupts_on();
  application(&board);
}
