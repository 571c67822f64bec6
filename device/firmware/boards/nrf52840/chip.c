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

#ifdef SIMULATED_SENSORS
#define SIMULATED true
#else
#define SIMULATED false
#endif

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
  board->simulated = SIMULATED;
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
