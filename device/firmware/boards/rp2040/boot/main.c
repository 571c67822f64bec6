/* The bootloader on an RP2040. Its line is that of the firmware: USB while a host has it open, and the UART otherwise. */
#include "clock.h"
#include "i2c.h"
#include "line.h"
#include "loader.h"
#include "registers.h"
#include "rom_flash.h"
#include "startup.h"
#include "uart.h"
#include "update_slots.h"
#include "usb.h"
#include "watchdog.h"

int main(void);

static void wait_until_us(void *context, uint64_t time_us) {
  (void)context;
  clock_sleep_until_us(time_us, line_has_input);
}

static void feed(void *context) {
  (void)context;
  watchdog_feed();
}

/* There is no I2C here. */
void i2c_handler(void) {
}

/* Interrupts off and none pending, USB gone from the bus, the firmware's stack, its entry. */
static void start(uint32_t vectors) {
  const uint32_t *table = (const uint32_t *)(uintptr_t)vectors;
  interrupts_off();
  NVIC_DISABLE = UINT32_MAX;
  reset_blocks(RESETS_USBCTRL | RESETS_UART0 | RESETS_TIMER);
  NVIC_CLEAR_PENDING = UINT32_MAX;
  SCB_VTOR = vectors;
  const uint32_t stack = table[0];
  const uint32_t entry = table[1];
  __asm__ volatile(
      "msr msp, %0\n"
      "bx %1\n" ::"r"(stack),
      "r"(entry)
      : "memory");
}

int main(void) {
  static struct board board = {
      .name = "thermo-edge rp2040",
      .platform = "Cortex-M0+, RP2040",
      .processor = "armv6-m",
      .now_us = clock_now_us,
      .wait_until_us = wait_until_us,
      .serial_read = line_read,
      .serial_write = line_write,
      .serial_room = line_room,
      .serial_overruns = line_overruns,
      .serial_discard = line_discard,
      .watchdog_feed = feed,
      .reset = startup_reset,
      .stack_used = startup_stack_used,
  };
  board.reset_cause = startup_peek_cause();
  clock_start();
  watchdog_start();
  reset_blocks(RESETS_IO_BANK0 | RESETS_PADS_BANK0);
  board.serial = line_start();
  interrupts_on();
  loader_run(&board, update_slots(), start);
}
