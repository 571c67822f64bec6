/* An nRF52840 with its sensors on TWIM 0 and its host on UARTE 0. */
#include "chip.h"

#include "clock.h"
#include "line.h"
#include "memory.h"
#include "nvmc.h"
#include "pins.h"
#include "registers.h"
#include "twim.h"
#include "watchdog.h"

/* What is no nRF52840 by its own account is a simulation of one, and says so of all that it measures. */
static bool is_simulated(void) {
#ifdef SIMULATED_SENSORS
  return true;
#else
  return DEVICE_PART != DEVICE_PART_NRF52840;
#endif
}

/* The number that the factory gave this chip. */
static const char *serial_number(void) {
  static char text[17];
  for (unsigned i = 0; i < 16U; i++) {
    text[i] = "0123456789ABCDEF"[DEVICE_ID[1U - i / 8U] >> (28U - i % 8U * 4U) & 15U];
  }
  return text;
}

void chip_start(struct board *board) {
  board->name = "thermo-edge nrf52840";
  board->platform = BOARD_PLATFORM;
  board->processor = "armv7e-m";
  board->simulated = is_simulated();
  board->serial = serial_number();
  watchdog_start();
  clock_start();
  line_start();
}

void chip_start_sensors(struct board *board) {
  static struct nvmc_pages stores = {.start = STORES_START, .page_size = FLASH_PAGE, .count = STORES_PAGES};
  board->i2c_transfer = twim_transfer;
  board->i2c_recover = twim_recover;
  board->flash = nvmc_flash(&stores);
  twim_start();
}
