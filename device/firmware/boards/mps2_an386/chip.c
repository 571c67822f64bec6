/* MPS2 with the AN386 image (Cortex-M4F), as QEMU's mps2-an386 emulates it. Its I2C, its flash and its serial number
   are memory that thermo-sim serves. */
#include "chip.h"

#include <string.h>

#include "clock.h"
#include "doorbell.h"
#include "line.h"
#include "mailbox.h"
#include "memory.h"
#include "nor_flash.h"
#include "registers.h"
#include "report.h"
#include "watchdog.h"

#define REPORT_EVERY_US 1000000U

static void watchdog_fed(void *context) {
  static uint64_t report_due_us;
  watchdog_feed(context);
  const uint64_t now_us = clock_now_us(context);
  if (now_us >= report_due_us) {
    report_due_us = now_us + REPORT_EVERY_US;
    report_write();
  }
}

void chip_start(struct board *board) {
  static char serial[sizeof SHARED->mailbox.serial];
  board->name = "thermo-edge mps2-an386";
  board->platform = "Cortex-M4F, MPS2 AN386 in QEMU";
  board->processor = "armv7e-m";
  board->simulated = true;
  memcpy(serial, SHARED->mailbox.serial, sizeof serial - 1U);
  board->serial = serial;
  watchdog_start();
  clock_start();
  line_start();
}

static const struct mailbox_port port = {
    .mailbox = &SHARED->mailbox,
    .now_us = clock_now_us,
    .ring = doorbell_ring,
    .wait_until_us = doorbell_wait_until_us,
};

static enum status i2c_transfer(void *context, uint8_t address, const uint8_t *write, size_t write_size, uint8_t *read,
                                size_t read_size) {
  (void)context;
  return mailbox_transfer(&port, address, write, write_size, read, read_size);
}

static void i2c_recover(void *context) {
  (void)context;
  mailbox_recover(&port);
}

void chip_start_sensors(struct board *board) {
  static struct nor_flash nor = {.bytes = SHARED->flash,
                                 .read_size = 1,
                                 .prog_size = FLASH_UNIT,
                                 .block_size = FLASH_BLOCK_SIZE,
                                 .block_count = FLASH_BLOCKS};
  board->i2c_transfer = i2c_transfer;
  board->i2c_recover = i2c_recover;
  board->flash = nor_flash(&nor);
  board->watchdog_feed = watchdog_fed;
  doorbell_start();
}
