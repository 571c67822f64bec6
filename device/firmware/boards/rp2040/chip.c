/* An RP2040 with its flash chip, as on the Raspberry Pi Pico and the XIAO RP2040. */
#include "chip.h"

#include "application.h"
#include "clock.h"
#include "i2c.h"
#include "identity.h"
#include "line.h"
#include "rom_flash.h"
#include "watchdog.h"

void chip_start(struct board *board) {
  board->name = "thermo-edge rp2040";
  board->platform = "Cortex-M0+, RP2040";
  board->processor = "armv6-m";
  board->simulated = identity_is_simulated();
  board->serial = identity_serial();
  clock_start();
  watchdog_start();
  line_start();
}

void chip_start_sensors(struct board *board) {
  board->i2c_transfer = i2c_transfer;
  board->i2c_recover = i2c_recover;
  board->flash = rom_flash();
  i2c_start(application_i2c_hz);
}
