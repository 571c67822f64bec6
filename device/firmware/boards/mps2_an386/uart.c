/* UART 0 is the serial line. */
#include "uart.h"

#include "line.h"
#include "registers.h"
#include "ring.h"

#define RX_SIZE 1024U
#define TX_SIZE 4096U

static uint8_t rx_bytes[RX_SIZE], tx_bytes[TX_SIZE];
static struct ring rx = {.bytes = rx_bytes, .size = RX_SIZE}, tx = {.bytes = tx_bytes, .size = TX_SIZE};
static volatile uint32_t overruns;

void line_start(void) {
  UART0->baud_divider = 16;
  UART0->control = UART_CONTROL_TX | UART_CONTROL_RX | UART_CONTROL_TX_INTERRUPT | UART_CONTROL_RX_INTERRUPT;
  NVIC_ENABLE = 1U << UART0_RX_IRQ | 1U << UART0_TX_IRQ;
}

void line_stop(void) {
  UART0->control = 0;
  UART0->interrupt = UART_INTERRUPT_TX | UART_INTERRUPT_RX;
}

static void send(void) {
  while (ring_count(&tx) > 0U && (UART0->state & UART_STATE_TX_FULL) == 0U) {
    UART0->data = ring_take(&tx);
  }
}

void uart_handler(void) {
  UART0->interrupt = UART_INTERRUPT_TX | UART_INTERRUPT_RX;
  while ((UART0->state & UART_STATE_RX_FULL) != 0U) {
    const uint8_t byte = (uint8_t)UART0->data;
    if (ring_room(&rx) > 0U) {
      ring_put(&rx, byte);
    } else {
      overruns++;
    }
  }
  send();
}

size_t line_read(void *context, uint8_t *data, size_t size) {
  (void)context;
  return ring_take_all(&rx, data, size);
}

bool line_write(void *context, const uint8_t *data, size_t size) {
  (void)context;
  return ring_send(&tx, data, size, send);
}

size_t line_room(void *context) {
  (void)context;
  return ring_room(&tx);
}

uint32_t line_overruns(void *context) {
  (void)context;
  return overruns;
}

void line_discard(void *context) {
  (void)context;
  ring_forget(&tx, 0);
}

bool line_has_input(void) {
  return ring_count(&rx) > 0U;
}
