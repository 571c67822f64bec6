/* UART 1, whose bytes say nothing but "look into the mailbox": so neither side has to keep looking. */
#include "doorbell.h"

#include <stdbool.h>

#include "clock.h"
#include "registers.h"

static volatile bool rung;

static bool has_rung(void) {
  return rung;
}

void doorbell_start(void) {
  UART1->baud_divider = 16;
  UART1->control = UART_CONTROL_TX | UART_CONTROL_RX | UART_CONTROL_RX_INTERRUPT;
  NVIC_ENABLE = 1U << UART1_RX_IRQ;
}

void doorbell_ring(void *context) {
  (void)context;
  if ((UART1->state & UART_STATE_TX_FULL) == 0U) {
    UART1->data = 1;
  }
}

void doorbell_wait_until_us(void *context, uint64_t time_us) {
  (void)context;
  clock_sleep_until_us(time_us, has_rung);
  rung = false;
}

void doorbell_handler(void) {
  UART1->interrupt = UART_INTERRUPT_RX;
  while ((UART1->state & UART_STATE_RX_FULL) != 0U) {
    (void)UART1->data;
  }
  rung = true;
}
