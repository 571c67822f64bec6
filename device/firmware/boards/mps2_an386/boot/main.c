/* The bootloader on MPS2 with the AN386 image, as QEMU emulates it. */
#include <string.h>

#include "clock.h"
#include "doorbell.h"
#include "loader.h"
#include "memory.h"
#include "registers.h"
#include "startup.h"
#include "uart.h"
#include "update_slots.h"
#include "watchdog.h"

int main(void);

static void wait_until_us(void *context, uint64_t time_us) {
  (void)context;
  clock_sleep_until_us(time_us, uart_has_input);
}

static void feed(void *context) {
  (void)context;
  watchdog_feed();
}

/* Interrupts off and none pending, the vectors of the firmware, its stack, its entry. */
static void start(uint32_t vectors) {
  const uint32_t *table = (const uint32_t *)(uintptr_t)vectors;
  interrupts_off();
  UART0->control = 0;
  UART0->interrupt = UART_INTERRUPT_TX | UART_INTERRUPT_RX;
  SYSTICK->control = 0;
  SCB_ICSR = SCB_ICSR_CLEAR_SYSTICK;
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
  static char serial[sizeof SHARED->mailbox.serial];
  static struct board board = {
      .name = "thermo-edge mps2-an386",
      .platform = "Cortex-M4F, MPS2 AN386 in QEMU",
      .processor = "armv7e-m",
      .serial = serial,
      .simulated = true,
      .now_us = clock_now_us,
      .wait_until_us = wait_until_us,
      .serial_read = uart_read,
      .serial_write = uart_write,
      .serial_room = uart_room,
      .serial_overruns = uart_overruns,
      .serial_discard = uart_discard,
      .watchdog_feed = feed,
      .reset = startup_reset,
      .stack_used = startup_stack_used,
  };
  board.reset_cause = startup_peek_cause();
  watchdog_start();
  memcpy(serial, SHARED->mailbox.serial, sizeof serial - 1U);
  clock_start();
  uart_start();
  loader_run(&board, update_slots(), start);
}
