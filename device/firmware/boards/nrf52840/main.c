/* The board as the core sees it: an nRF52840 with its sensors on TWIM 0 and its host on UARTE 0. All that the processor
   has once is in its registers, so nothing needs a context. */
#include "application.h"
#include "clock.h"
#include "memory.h"
#include "nvmc.h"
#include "pins.h"
#include "registers.h"
#include "startup.h"
#include "twim.h"
#include "uart.h"
#include "watchdog.h"

#ifdef SIMULATED_SENSORS
#define SIMULATED true
#else
#define SIMULATED false
#endif

int main(void);

static void wait_until_us(void *context, uint64_t time_us) {
  (void)context;
  clock_sleep_until_us(time_us, uart_has_input);
}

/* The number that the factory gave this chip. */
static const char *serial_number(void) {
  static char text[17];
  for (unsigned i = 0; i < 16U; i++) {
    text[i] = "0123456789ABCDEF"[DEVICE_ID[1U - i / 8U] >> (28U - i % 8U * 4U) & 15U];
  }
  return text;
}

int main(void) {
  static struct nvmc_pages stores = {.start = STORES_START, .page_size = FLASH_PAGE, .count = STORES_PAGES};
  static struct board board = {
      .name = "thermo-edge nrf52840",
      .platform = BOARD_PLATFORM,
      .processor = "armv7e-m",
      .simulated = SIMULATED,
      .now_us = clock_now_us,
      .wait_until_us = wait_until_us,
      .i2c_transfer = twim_transfer,
      .i2c_recover = twim_recover,
      .serial_read = uart_read,
      .serial_write = uart_write,
      .serial_room = uart_room,
      .serial_overruns = uart_overruns,
      .serial_discard = uart_discard,
      .watchdog_feed = watchdog_feed,
      .reset = startup_reset,
      .stack_used = startup_stack_used,
  };
  watchdog_start();
  board.reset_cause = startup_reset_cause();
  board.serial = serial_number();
  board.flash = nvmc_flash(&stores);
  clock_start();
  twim_start();
  uart_start();
  application(&board);
}
