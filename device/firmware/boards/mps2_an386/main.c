/* The board as the core sees it: MPS2 with the AN386 image (Cortex-M4F), as QEMU's mps2-an386 emulates it. All that the
   processor has once is in its registers, so nothing needs a context. */
#include <string.h>

#include "application.h"
#include "clock.h"
#include "doorbell.h"
#include "mailbox.h"
#include "memory.h"
#include "nor_flash.h"
#include "registers.h"
#include "startup.h"
#include "uart.h"
#include "watchdog.h"

#define REPORT_EVERY_US 1000000U

int main(void);

static const struct mailbox_port port = {
    .mailbox = &SHARED->mailbox,
    .now_us = clock_now_us,
    .ring = doorbell_ring,
    .wait_until_us = doorbell_wait_until_us,
};
static struct nor_flash nor = {.bytes = SHARED->flash,
                               .read_size = 1,
                               .prog_size = FLASH_UNIT,
                               .block_size = FLASH_BLOCK_SIZE,
                               .block_count = FLASH_BLOCKS};

static void wait_until_us(void *context, uint64_t time_us) {
  (void)context;
  clock_sleep_until_us(time_us, uart_has_input);
}

static void watchdog_fed(void *context) {
  static uint64_t report_due_us;
  watchdog_feed();
  const uint64_t now_us = clock_now_us(context);
  if (now_us >= report_due_us) {
    report_due_us = now_us + REPORT_EVERY_US;
    startup_report();
  }
}

static enum status i2c_transfer(void *context, uint8_t address, const uint8_t *write, size_t write_size, uint8_t *read,
                                size_t read_size) {
  (void)context;
  return mailbox_transfer(&port, address, write, write_size, read, read_size);
}

static void i2c_recover(void *context) {
  (void)context;
  mailbox_recover(&port);
}

int main(void) {
  static char serial[sizeof SHARED->mailbox.serial];
  static struct board board = {
      .name = "thermo-edge mps2-an386",
      .platform = "Cortex-M4F, MPS2 AN386 in QEMU",
      .processor = "armv7e-m",
      .serial = serial,
      .simulated = true,
      .now_us = clock_now_us,
      .wait_until_us = wait_until_us,
      .i2c_transfer = i2c_transfer,
      .i2c_recover = i2c_recover,
      .serial_read = uart_read,
      .serial_write = uart_write,
      .serial_room = uart_room,
      .serial_overruns = uart_overruns,
      .serial_discard = uart_discard,
      .watchdog_feed = watchdog_fed,
      .reset = startup_reset,
      .stack_used = startup_stack_used,
  };
  board.flash = nor_flash(&nor);
  board.reset_cause = startup_reset_cause();
  watchdog_start();
  memcpy(serial, SHARED->mailbox.serial, sizeof serial - 1U);
  clock_start();
  doorbell_start();
  uart_start();
  application(&board);
}
