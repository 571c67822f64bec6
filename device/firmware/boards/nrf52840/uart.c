/* UARTE 0 is the serial line, at 1 Mbaud. Bytes come in by DMA, into one half of a ring after the other, while timer 1
   counts them: so nothing is lost while the processor stands still for the 85 ms that flash takes to erase. They go out
   by DMA, a part of another ring at a time. */
#include "uart.h"

#include "line.h"
#include "pins.h"
#include "registers.h"
#include "ring.h"

/* Powers of two: positions count on and on, and are taken modulo the size. */
#define RX_HALF 2048U
#define RX_SIZE (2U * RX_HALF)
#define TX_SIZE 4096U
#define TX_AT_ONCE 256U
#define COUNTER 1U
#define CHANNEL 0U
#define STOP_LOOKS 100000U

static uint8_t rx[RX_SIZE], tx_bytes[TX_SIZE];
static struct ring tx = {.bytes = tx_bytes, .size = TX_SIZE};
static volatile uint32_t rx_announced; /* half that the DMA was told of last, counted on and on */
static uint32_t rx_out;
static volatile uint32_t tx_sending; /* bytes that the DMA has, at the ring's front */
static volatile uint32_t overruns;

static uint32_t received(void) {
  TIMER_CAPTURE(COUNTER, 0) = 1;
  return TIMER_VALUE(COUNTER, 0);
}

void line_start(void) {
  GPIO_OUT_SET(PIN_TX / 32U) = 1U << PIN_TX % 32U;
  GPIO_CONFIG(PIN_TX / 32U, PIN_TX % 32U) = GPIO_CONFIG_OUTPUT | GPIO_CONFIG_NO_INPUT;
  GPIO_CONFIG(PIN_RX / 32U, PIN_RX % 32U) = GPIO_CONFIG_PULL_UP;
  UARTE_PIN_TX = PIN_TX;
  UARTE_PIN_RX = PIN_RX;
  UARTE_BAUD = UARTE_BAUD_1M;
  TIMER_MODE(COUNTER) = TIMER_MODE_COUNTER;
  TIMER_WIDTH(COUNTER) = TIMER_WIDTH_32;
  TIMER_CLEAR(COUNTER) = 1;
  TIMER_START(COUNTER) = 1;
  PPI_EVENT(CHANNEL) = UARTE_RX_READY_AT;
  PPI_TASK(CHANNEL) = TIMER_COUNT_AT(COUNTER);
  PPI_ENABLE_SET = 1U << CHANNEL;
  UARTE_ENABLE = UARTE_ENABLED;
  UARTE_SHORTS = UARTE_SHORT_RX_ENDED_START;
  UARTE_INTERRUPTS_ON = UARTE_INTERRUPT_RX_READY | UARTE_INTERRUPT_TX_ENDED | UARTE_INTERRUPT_ERROR;
  NVIC_ENABLE = 1U << UARTE_IRQ;
  UARTE_RX_POINTER = (uint32_t)(uintptr_t)rx;
  UARTE_RX_SIZE = RX_HALF;
  UARTE_START_RX = 1;
}

void line_stop(void) {
  UARTE_SHORTS = 0;
  UARTE_INTERRUPTS_OFF = UINT32_MAX;
  UARTE_RX_STOPPED = 0;
  UARTE_STOP_RX = 1;
  UARTE_STOP_TX = 1;
  for (uint32_t i = 0; i < STOP_LOOKS && UARTE_RX_STOPPED == 0U; i++) {
  }
  UARTE_ENABLE = 0;
  PPI_ENABLE_CLEAR = 1U << CHANNEL;
  TIMER_STOP(COUNTER) = 1;
}

/* Once a half has its first byte, the DMA has begun it and can be told of the next one. */
static void announce(uint32_t in) {
  const uint32_t next = (in + RX_HALF - 1U) / RX_HALF;
  if (next != rx_announced) {
    rx_announced = next;
    UARTE_RX_POINTER = (uint32_t)(uintptr_t)(rx + next % 2U * RX_HALF);
  }
}

/* The next part, unless one is under way. */
static void send(void) {
  if (tx_sending > 0U) {
    return;
  }
  /* No part goes over the ring's end, whose size is a multiple of TX_AT_ONCE. */
  const uint32_t waiting = ring_count(&tx);
  const uint32_t part = TX_AT_ONCE - tx.out % TX_AT_ONCE;
  const uint32_t size = waiting < part ? waiting : part;
  tx_sending = size;
  if (waiting > 0U) {
    barrier();
    UARTE_TX_POINTER = (uint32_t)(uintptr_t)(tx_bytes + tx.out % TX_SIZE);
    UARTE_TX_SIZE = size;
    UARTE_START_TX = 1;
  }
}

void uart_handler(void) {
  UARTE_RX_READY = 0;
  announce(received());
  if (UARTE_ERROR != 0U) {
    UARTE_ERROR = 0;
    const uint32_t source = UARTE_ERROR_SOURCE;
    UARTE_ERROR_SOURCE = source; /* ones clear it */
    overruns += source & UARTE_ERROR_OVERRUN;
  }
  if (UARTE_TX_ENDED != 0U) {
    UARTE_TX_ENDED = 0;
    tx.out += tx_sending;
    tx_sending = 0;
    send();
  }
}

size_t line_read(void *context, uint8_t *data, size_t size) {
  (void)context;
  const uint32_t in = received();
  if (in - rx_out > RX_SIZE) { /* what was not read in time is overwritten */
    overruns += in - rx_out;
    rx_out = in;
  }
  size_t count = 0;
  while (count < size && rx_out != in) {
    data[count++] = ((volatile uint8_t *)rx)[rx_out % RX_SIZE];
    rx_out++;
  }
  return count;
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
  ring_forget(&tx, tx_sending);
}

bool line_has_input(void) {
  return received() != rx_out;
}
