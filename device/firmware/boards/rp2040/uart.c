/* UART 0 (a PL011) at a million baud, which both ends of the protocol begin with. */
#include "uart.h"

#include "pins.h"
#include "registers.h"
#include "ring.h"

#define DATA_OVERRUN (1U << 11)
#define FLAG_RX_EMPTY (1U << 4)
#define FLAG_TX_FULL (1U << 5)
#define LINE_8_BITS (3U << 5)
#define LINE_FIFOS (1U << 4)
#define CONTROL_ENABLE (1U << 0 | 1U << 8 | 1U << 9)
#define LEVELS_TX_QUARTER_RX_HALF (1U << 0 | 2U << 3)
#define INTERRUPT_RX (1U << 4)
#define INTERRUPT_TX (1U << 5)
#define INTERRUPT_RX_TIMEOUT (1U << 6)

#define BAUD 1000000U
#define RX_SIZE 1024U
#define TX_SIZE 4096U

static uint8_t rx_bytes[RX_SIZE], tx_bytes[TX_SIZE];
static struct ring rx = {.bytes = rx_bytes, .size = RX_SIZE}, tx = {.bytes = tx_bytes, .size = TX_SIZE};
static volatile uint32_t overruns;

void uart_start(void) {
  reset_blocks(RESETS_UART0);
  pin_connect(PIN(PIN_TX), FUNCTION_UART, 0);
  pin_connect(PIN(PIN_RX), FUNCTION_UART, PAD_PULL_UP);
  const uint32_t divider_64ths = (4U * CORE_CLOCK_HZ + BAUD / 2U) / BAUD;
  UART0->divider = divider_64ths / 64U;
  UART0->divider_64ths = divider_64ths % 64U;
  UART0->line = LINE_8_BITS | LINE_FIFOS;
  UART0->levels = LEVELS_TX_QUARTER_RX_HALF;
  UART0->control = CONTROL_ENABLE;
  UART0->interrupts_enabled = INTERRUPT_RX | INTERRUPT_RX_TIMEOUT;
  NVIC_ENABLE = 1U << UART0_IRQ;
}

/* As much as it takes; it asks for more only while there is more. */
static void send(void) {
  while (ring_count(&tx) > 0U && (UART0->flags & FLAG_TX_FULL) == 0U) {
    UART0->data = ring_take(&tx);
  }
  UART0->interrupts_enabled =
      INTERRUPT_RX | INTERRUPT_RX_TIMEOUT | (ring_count(&tx) > 0U ? (uint32_t)INTERRUPT_TX : 0U);
}

void uart_handler(void) {
  UART0->interrupts_clear = INTERRUPT_RX | INTERRUPT_RX_TIMEOUT | INTERRUPT_TX;
  while ((UART0->flags & FLAG_RX_EMPTY) == 0U) {
    const uint32_t heard = UART0->data;
    overruns += (heard & DATA_OVERRUN) != 0U ? 1U : 0U;
    if (ring_room(&rx) > 0U) {
      ring_put(&rx, (uint8_t)heard);
    } else {
      overruns++;
    }
  }
  send();
}

size_t uart_read(uint8_t *data, size_t size) {
  return ring_take_all(&rx, data, size);
}

bool uart_write(const uint8_t *data, size_t size) {
  return ring_send(&tx, data, size, send);
}

size_t uart_room(void) {
  return ring_room(&tx);
}

uint32_t uart_overruns(void) {
  return overruns;
}

void uart_discard(void) {
  ring_forget(&tx, 0);
}

bool uart_has_input(void) {
  return ring_count(&rx) > 0U;
}
