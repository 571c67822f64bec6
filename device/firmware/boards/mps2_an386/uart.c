/* UART 0, the serial line to the host: interrupts move bytes between it and two rings. */
#include "uart.h"

#include "registers.h"

/* Powers of two: positions count on and on, and are taken modulo the size. */
#define RX_SIZE 1024U
#define TX_SIZE 4096U

static uint8_t rx[RX_SIZE], tx[TX_SIZE];
/* The interrupt moves the first, the main loop the second. */
static volatile uint32_t rx_in, rx_out;
static volatile uint32_t tx_out, tx_in;
static volatile uint32_t overruns;

void uart_start(void) {
  UART0->baud_divider = 16;
  UART0->control = UART_CONTROL_TX | UART_CONTROL_RX | UART_CONTROL_TX_INTERRUPT | UART_CONTROL_RX_INTERRUPT;
  NVIC_ENABLE = 1U << UART0_RX_IRQ | 1U << UART0_TX_IRQ;
}

static void send(void) {
  while (tx_out != tx_in && (UART0->state & UART_STATE_TX_FULL) == 0U) {
    UART0->data = tx[tx_out % TX_SIZE];
    tx_out++;
  }
}

void uart_handler(void) {
  UART0->interrupt = UART_INTERRUPT_TX | UART_INTERRUPT_RX;
  while ((UART0->state & UART_STATE_RX_FULL) != 0U) {
    const uint8_t byte = (uint8_t)UART0->data;
    if (rx_in - rx_out < RX_SIZE) {
      rx[rx_in % RX_SIZE] = byte;
      rx_in++;
    } else {
      overruns++;
    }
  }
  send();
}

size_t uart_read(void *context, uint8_t *data, size_t size) {
  (void)context;
  const uint32_t in = rx_in;
  uint32_t out = rx_out;
  size_t count = 0;
  while (count < size && out != in) {
    data[count++] = rx[out % RX_SIZE];
    out++;
  }
  rx_out = out;
  return count;
}

bool uart_write(void *context, const uint8_t *data, size_t size) {
  if (size > uart_room(context)) {
    return false;
  }
  uint32_t in = tx_in;
  for (size_t i = 0; i < size; i++) {
    tx[in % TX_SIZE] = data[i];
    in++;
  }
  __asm__ volatile("" ::: "memory");
  interrupts_off();
  tx_in = in;
  send();
  interrupts_on();
  return true;
}

size_t uart_room(void *context) {
  (void)context;
  return TX_SIZE - (tx_in - tx_out);
}

uint32_t uart_overruns(void *context) {
  (void)context;
  return overruns;
}

void uart_discard(void *context) {
  (void)context;
  interrupts_off();
  tx_out = tx_in;
  interrupts_on();
}

bool uart_has_input(void) {
  return rx_in != rx_out;
}
