/* One transaction at a time by DMA, while the processor sleeps; and the clocks that free a bus. */
#include "twim.h"

#include <stdbool.h>
#include <string.h>

#include "application.h"
#include "clock.h"
#include "pins.h"
#include "registers.h"

#define FREQUENCY_100K 0x01980000U
#define FREQUENCY_250K 0x04000000U
/* 400 kHz would leave SCL low for less than the 1.3 us of the I2C specification: anomaly 219 of the nRF52840. */
#define FREQUENCY_390K 0x06200000U
#define MOST_WRITTEN 256U /* DMA reads RAM alone, and what is written may be a constant in flash */
#define MOST_AT_ONCE 65535U
/* A transaction may take this and so much for each byte, nearly three times what 100 kHz takes, but at most a second.
 */
#define LONGEST_US 20000U
#define LONGEST_BYTE_US 250U
#define LONGEST_OF_ALL_US 1000000U
#define STOP_US 1000U
#define HALF_CLOCK_US 5U

static uint8_t written[MOST_WRITTEN];

static void pin(uint32_t number, bool high) {
  const uint32_t mask = 1U << number % 32U;
  if (high) {
    GPIO_OUT_SET(number / 32U) = mask;
  } else {
    GPIO_OUT_CLEAR(number / 32U) = mask;
  }
}

static void configure(uint32_t number, uint32_t direction) {
  GPIO_CONFIG(number / 32U, number % 32U) = direction | GPIO_CONFIG_PULL_UP | GPIO_CONFIG_OPEN_DRAIN;
}

static bool is_high(uint32_t number) {
  return (GPIO_IN(number / 32U) >> number % 32U & 1U) != 0U;
}

static bool is_over(void) {
  return TWIM_STOPPED != 0U || TWIM_ERROR != 0U;
}

static bool has_stopped(void) {
  return TWIM_STOPPED != 0U;
}

static uint32_t frequency(void) {
  if (application_i2c_hz >= 390000U) {
    return FREQUENCY_390K;
  }
  return application_i2c_hz >= 250000U ? FREQUENCY_250K : FREQUENCY_100K;
}

static bool never(void) {
  return false;
}

static void enable(void) {
  pin(PIN_SCL, true);
  pin(PIN_SDA, true);
  configure(PIN_SCL, 0);
  configure(PIN_SDA, 0);
  TWIM_PIN_SCL = PIN_SCL;
  TWIM_PIN_SDA = PIN_SDA;
  TWIM_FREQUENCY = frequency();
  TWIM_ENABLE = TWIM_ENABLED;
}

void twim_start(void) {
  enable();
  NVIC_ENABLE = 1U << TWIM_IRQ;
}

/* It has woken the processor; who sleeps looks at the events, and lets interrupts come again for the next. */
void twim_handler(void) {
  TWIM_INTERRUPTS_OFF = TWIM_INTERRUPT_STOPPED | TWIM_INTERRUPT_ERROR;
}

static uint32_t longest_us(size_t bytes) {
  const size_t most = (LONGEST_OF_ALL_US - LONGEST_US) / LONGEST_BYTE_US;
  return LONGEST_US + LONGEST_BYTE_US * (uint32_t)(bytes < most ? bytes : most);
}

static void wait(uint64_t until_us, bool (*over)(void)) {
  TWIM_INTERRUPTS_ON = TWIM_INTERRUPT_STOPPED | TWIM_INTERRUPT_ERROR;
  clock_sleep_until_us(until_us, over);
  TWIM_INTERRUPTS_OFF = TWIM_INTERRUPT_STOPPED | TWIM_INTERRUPT_ERROR;
}

/* End what did not end by itself; where not even that works, the controller is switched off and on. */
static void stop(void) {
  TWIM_ERROR = 0;
  TWIM_RESUME = 1;
  TWIM_STOP = 1;
  wait(clock_now_us(NULL) + STOP_US, has_stopped);
  if (!has_stopped()) {
    TWIM_ENABLE = 0;
    enable();
  }
}

enum status twim_transfer(void *context, uint8_t address, const uint8_t *write, size_t write_size, uint8_t *read,
                          size_t read_size) {
  (void)context;
  if (write_size > MOST_WRITTEN || read_size > MOST_AT_ONCE || write_size + read_size == 0U) {
    return STATUS_ARGUMENT;
  }
  /* The controller hears an acknowledgement in a line that is held low, and reads zeros. */
  if (!is_high(PIN_SCL) || !is_high(PIN_SDA)) {
    return STATUS_STUCK;
  }
  if (write_size > 0U) {
    memcpy(written, write, write_size);
  }
  TWIM_ADDRESS = address;
  TWIM_TX_POINTER = (uint32_t)(uintptr_t)written;
  TWIM_TX_SIZE = (uint32_t)write_size;
  TWIM_RX_POINTER = (uint32_t)(uintptr_t)read;
  TWIM_RX_SIZE = (uint32_t)read_size;
  TWIM_STOPPED = 0;
  TWIM_ERROR = 0;
  TWIM_ERROR_SOURCE = TWIM_ERROR_SOURCE; /* ones clear it */
  if (write_size > 0U) {
    TWIM_SHORTS = read_size > 0U ? TWIM_SHORT_TX_START_RX | TWIM_SHORT_RX_STOP : TWIM_SHORT_TX_STOP;
  } else {
    TWIM_SHORTS = TWIM_SHORT_RX_STOP;
  }
  barrier();
  if (write_size > 0U) {
    TWIM_START_TX = 1;
  } else {
    TWIM_START_RX = 1;
  }
  wait(clock_now_us(NULL) + longest_us(write_size + read_size), is_over);
  const bool failed = TWIM_ERROR != 0U;
  const bool in_time = failed || has_stopped();
  if (failed || !in_time) {
    const uint32_t source = TWIM_ERROR_SOURCE;
    stop();
    if (!in_time) {
      return STATUS_STUCK;
    }
    return (source & TWIM_ERROR_NACK) != 0U ? STATUS_NACK : STATUS_BUS;
  }
  barrier();
  if (TWIM_TX_AMOUNT != write_size && write_size > 0U) {
    return STATUS_BUS;
  }
  return TWIM_RX_AMOUNT != read_size && read_size > 0U ? STATUS_SHORT : STATUS_OK;
}

static void half_clock(void) {
  clock_sleep_until_us(clock_now_us(NULL) + HALF_CLOCK_US, never);
}

void twim_recover(void *context) {
  (void)context;
  TWIM_ENABLE = 0;
  pin(PIN_SCL, true);
  pin(PIN_SDA, true);
  configure(PIN_SCL, GPIO_CONFIG_OUTPUT);
  configure(PIN_SDA, GPIO_CONFIG_OUTPUT);
  for (unsigned i = 0; i < 9U; i++) {
    pin(PIN_SCL, false);
    half_clock();
    pin(PIN_SCL, true);
    half_clock();
  }
  pin(PIN_SCL, false);
  half_clock();
  pin(PIN_SDA, false);
  half_clock();
  pin(PIN_SCL, true);
  half_clock();
  pin(PIN_SDA, true);
  half_clock();
  enable();
}
