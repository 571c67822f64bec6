/* The bootloader on an nRF52840. */
#include "clock.h"
#include "loader.h"
#include "pins.h"
#include "registers.h"
#include "startup.h"
#include "twim.h"
#include "uart.h"
#include "update_slots.h"
#include "watchdog.h"

int main(void);

static void wait_until_us(void *context, uint64_t time_us) {
  (void)context;
  clock_sleep_until_us(time_us, uart_has_input);
}

/* There is no I2C here. */
void twim_handler(void) {
}

/* Interrupts off and none pending, no DMA under way, the firmware's stack, its entry. */
static void start(uint32_t vectors) {
  const uint32_t *table = (const uint32_t *)(uintptr_t)vectors;
  interrupts_off();
  uart_stop();
  clock_stop();
  NVIC_DISABLE = UINT32_MAX;
  NVIC_CLEAR = UINT32_MAX;
  SCB_VTOR = vectors;
  barrier();
  const uint32_t stack = table[0];
  const uint32_t entry = table[1];
  __asm__ volatile(
      "msr msp, %0\n"
      "cpsie i\n"
      "bx %1\n" ::"r"(stack),
      "r"(entry)
      : "memory");
}

int main(void) {
  static struct board board = {
      .name = "thermo-edge nrf52840",
      .platform = BOARD_PLATFORM,
      .processor = "armv7e-m",
      .now_us = clock_now_us,
      .wait_until_us = wait_until_us,
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
  board.reset_cause = startup_peek_cause();
  clock_start();
  uart_start();
  loader_run(&board, update_slots(), start);
}
