/* The board as the core sees it: an RP2040 with its flash chip, as on the Raspberry Pi Pico and the XIAO RP2040. All
   that the chip has once is in its registers, so nothing needs a context. */
#include <string.h>

#include "application.h"
#include "clock.h"
#include "i2c.h"
#include "registers.h"
#include "rom_flash.h"
#include "startup.h"
#include "uart.h"
#include "usb.h"
#include "watchdog.h"

int main(void);

/* The line is USB while a host has that open, and the UART otherwise. */
static size_t serial_read(void *context, uint8_t *data, size_t size) {
  (void)context;
  const size_t count = usb_read(data, size);
  return count > 0U ? count : uart_read(data, size);
}

static bool serial_write(void *context, const uint8_t *data, size_t size) {
  (void)context;
  return usb_is_open() ? usb_write(data, size) : uart_write(data, size);
}

static size_t serial_room(void *context) {
  (void)context;
  return usb_is_open() ? usb_room() : uart_room();
}

static uint32_t serial_overruns(void *context) {
  (void)context;
  return uart_overruns(); /* USB makes its host wait */
}

static void serial_discard(void *context) {
  (void)context;
  usb_discard();
  uart_discard();
}

static bool has_input(void) {
  return usb_has_input() || uart_has_input();
}

static void wait_until_us(void *context, uint64_t time_us) {
  (void)context;
  clock_sleep_until_us(time_us, has_input);
}

static void watchdog_fed(void *context) {
  (void)context;
  watchdog_feed();
}

static bool is_simulated(void) {
  return (TBMAN_PLATFORM & (TBMAN_SILICON | TBMAN_GATE_ARRAY)) == 0U;
}

#define SIMULATED_PREFIX "SIM-"
#define SIMULATED_DIGITS 8U
#define SERIAL_SIZE (2U * ROM_FLASH_UNIQUE_ID + 1U)

/* The flash chip's number in hexadecimal, or in decimal after "SIM-" where a simulator gave it. */
static const char *serial_number(void) {
  static const char digits[] = "0123456789ABCDEF";
  static char serial[SERIAL_SIZE];
  uint8_t id[ROM_FLASH_UNIQUE_ID];
  rom_flash_unique_id(id);
  if (!is_simulated()) {
    for (size_t i = 0; i < sizeof id; i++) {
      serial[2U * i] = digits[id[i] >> 4];
      serial[2U * i + 1U] = digits[id[i] & 15U];
    }
    return serial;
  }
  uint32_t number = (uint32_t)id[4] << 24 | (uint32_t)id[5] << 16 | (uint32_t)id[6] << 8 | id[7];
  memcpy(serial, SIMULATED_PREFIX, sizeof SIMULATED_PREFIX - 1U);
  for (size_t i = SIMULATED_DIGITS; i-- > 0U; number /= 10U) {
    serial[sizeof SIMULATED_PREFIX - 1U + i] = digits[number % 10U];
  }
  return serial;
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
      .serial_read = serial_read,
      .serial_write = serial_write,
      .serial_room = serial_room,
      .serial_overruns = serial_overruns,
      .serial_discard = serial_discard,
      .watchdog_feed = watchdog_fed,
      .reset = startup_reset,
      .stack_used = startup_stack_used,
  };
  board.reset_cause = startup_reset_cause();
  clock_start();
  watchdog_start();
  reset_blocks(RESETS_IO_BANK0 | RESETS_PADS_BANK0);
  board.simulated = is_simulated();
  board.serial = serial_number();
  board.flash = rom_flash();
  i2c_start(application_i2c_hz);
  uart_start();
  usb_start(board.serial);
  interrupts_on();
  application(&board);
}
