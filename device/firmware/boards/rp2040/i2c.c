/* The DesignWare controller as a master. Commands go into its FIFO ahead of what comes out of the other; in between the
   processor sleeps until there is work for half a FIFO, the transaction has ended, or its time is over. */
#include "i2c.h"

#include <stdbool.h>

#include "clock.h"
#include "pins.h"
#include "registers.h"

#define CONTROL_MASTER (1U << 0 | 1U << 6) /* and no slave */
#define CONTROL_FAST (2U << 1)
#define CONTROL_RESTART (1U << 5)
#define CONTROL_TX_EMPTY (1U << 8)
#define COMMAND_READ (1U << 8)
#define COMMAND_STOP (1U << 9)
#define COMMAND_RESTART (1U << 10)
#define INTERRUPT_RX (1U << 2)
#define INTERRUPT_TX (1U << 4)
#define INTERRUPT_ABORT (1U << 6)
#define INTERRUPT_STOP (1U << 9)
#define ENABLE 1U
#define ENABLE_ABORT 2U
#define ABORT_ADDRESS_NACK (1U << 0)
#define ABORT_DATA_NACK (1U << 3)
#define ABORT_ARBITRATION (1U << 12)

#define FIFO 16U
#define HALF (FIFO / 2U)
/* How long a chip may stretch the clock and others may hold the bus: what the bytes take, four times, and this. */
#define PATIENCE_US 30000U
#define STRETCH 4U
#define LONGEST_US 1100000U
#define ABORTS_WITHIN_US 1000U
/* Clocks that make a chip let go in the middle of any byte. */
#define FREEING_CLOCKS 9U
#define FREEING_HALF_US 5U

static uint32_t bus_hz;
static volatile bool woken;

/* Of the controller whose pins are used: each pair of pins belongs to the other one in turn. */
static uint32_t number(void) {
  return PIN(PIN_SDA) / 2U % 2U;
}

static volatile struct i2c_registers *controller(void) {
  return (volatile struct i2c_registers *)(uintptr_t)(0x40044000U + 0x4000U * number());
}

static void connect(uint32_t function) {
  pin_connect(PIN(PIN_SDA), function, PAD_PULL_UP);
  pin_connect(PIN(PIN_SCL), function, PAD_PULL_UP);
}

/* From reset. High and low last 2:3, as fast mode wants it. */
static void set_up(void) {
  volatile struct i2c_registers *const i2c = controller();
  reset_blocks(RESETS_I2C0 << number());
  const uint32_t period = (CORE_CLOCK_HZ + bus_hz / 2U) / bus_hz;
  const uint32_t low = period * 3U / 5U;
  i2c->enable = 0;
  i2c->control = CONTROL_MASTER | CONTROL_FAST | CONTROL_RESTART | CONTROL_TX_EMPTY;
  i2c->fast_low = low;
  i2c->fast_high = period - low;
  i2c->spikes = low < 16U ? 1U : low / 16U;
  i2c->data_hold = bus_hz < 1000000U ? CORE_CLOCK_HZ * 3U / 10000000U + 1U : CORE_CLOCK_HZ * 3U / 25000000U + 1U;
  i2c->interrupts_enabled = 0;
}

void i2c_start(uint32_t hz) {
  bus_hz = hz;
  set_up();
  connect(FUNCTION_I2C);
  NVIC_ENABLE = 1U << (I2C0_IRQ + number());
}

/* Only wakes: what there is to do is done where it is waited for. */
void i2c_handler(void) {
  controller()->interrupts_enabled = 0;
  woken = true;
}

static bool is_woken(void) {
  return woken;
}

static void sleep_for(uint32_t interrupts, uint64_t until_us) {
  woken = false;
  controller()->interrupts_enabled = interrupts;
  clock_sleep_until_us(until_us, is_woken);
  controller()->interrupts_enabled = 0;
}

struct transfer {
  const uint8_t *write;
  size_t write_size;
  uint8_t *read;
  size_t read_size;
  size_t asked; /* commands given, of write_size + read_size */
  size_t got;   /* bytes read */
};

static uint32_t next_command(const struct transfer *t) {
  const bool reads = t->asked >= t->write_size;
  uint32_t command = reads ? COMMAND_READ : t->write[t->asked];
  if (reads && t->asked == t->write_size && t->write_size > 0U) {
    command |= COMMAND_RESTART;
  }
  if (t->asked + 1U == t->write_size + t->read_size) {
    command |= COMMAND_STOP;
  }
  return command;
}

/* Give commands while both FIFOs have room for what comes of them, and take what came. */
static void move(struct transfer *t) {
  volatile struct i2c_registers *const i2c = controller();
  const size_t all = t->write_size + t->read_size;
  while (t->got < t->read_size && i2c->rx_level > 0U) {
    t->read[t->got++] = (uint8_t)i2c->command;
  }
  while (t->asked < all && i2c->tx_level < FIFO) {
    const size_t reads = t->asked < t->write_size ? 0 : t->asked - t->write_size;
    if (reads - t->got >= FIFO && t->asked >= t->write_size) {
      break;
    }
    i2c->command = next_command(t);
    t->asked++;
  }
}

static enum status aborted(uint32_t source) {
  if ((source & (ABORT_ADDRESS_NACK | ABORT_DATA_NACK)) != 0U) {
    return STATUS_NACK;
  }
  return (source & ABORT_ARBITRATION) != 0U ? STATUS_SHORT : STATUS_BUS;
}

/* Let go of the bus, and begin anew where the controller does not. */
static void give_up(void) {
  volatile struct i2c_registers *const i2c = controller();
  i2c->enable = ENABLE | ENABLE_ABORT;
  sleep_for(INTERRUPT_ABORT, clock_now_us(NULL) + ABORTS_WITHIN_US);
  (void)i2c->clear_abort;
  i2c->enable = 0;
  set_up();
}

/* Interrupts worth waking for: half a FIFO to take or to fill, and the end. */
static uint32_t worth_waking(const struct transfer *t) {
  volatile struct i2c_registers *const i2c = controller();
  uint32_t wanted = INTERRUPT_ABORT | INTERRUPT_STOP;
  const size_t left = t->read_size - t->got;
  if (left > 0U) {
    i2c->rx_level_wanted = (uint32_t)(left < HALF ? left : HALF) - 1U;
    wanted |= INTERRUPT_RX;
  }
  if (t->asked < t->write_size) {
    i2c->tx_level_wanted = HALF;
    wanted |= INTERRUPT_TX;
  }
  return wanted;
}

enum status i2c_transfer(void *context, uint8_t address, const uint8_t *write, size_t write_size, uint8_t *read,
                         size_t read_size) {
  volatile struct i2c_registers *const i2c = controller();
  struct transfer t = {.write = write, .write_size = write_size, .read = read, .read_size = read_size};
  if (write_size + read_size == 0U) {
    return STATUS_ARGUMENT; /* an address alone is what this controller cannot send */
  }
  const uint64_t bytes_us = (uint64_t)(write_size + read_size + 2U) * 9U * 1000000U / bus_hz;
  const uint64_t patience_us = PATIENCE_US + STRETCH * bytes_us;
  const uint64_t until_us = clock_now_us(context) + (patience_us < LONGEST_US ? patience_us : LONGEST_US);
  i2c->enable = 0;
  i2c->target = address;
  i2c->enable = ENABLE;
  (void)i2c->clear_all;
  for (;;) {
    const uint32_t raised = i2c->interrupts_raw;
    if ((raised & INTERRUPT_ABORT) != 0U) {
      const enum status status = aborted(i2c->abort_source);
      (void)i2c->clear_abort;
      i2c->enable = 0;
      return status;
    }
    move(&t);
    if ((raised & INTERRUPT_STOP) != 0U && t.asked == write_size + read_size) {
      (void)i2c->clear_stop;
      i2c->enable = 0;
      return t.got == read_size ? STATUS_OK : STATUS_SHORT;
    }
    if (clock_now_us(context) >= until_us) {
      give_up();
      return STATUS_STUCK;
    }
    sleep_for(worth_waking(&t), until_us);
  }
}

static void half_a_clock(void) {
  const uint64_t until_us = clock_now_us(NULL) + FREEING_HALF_US;
  while (clock_now_us(NULL) < until_us) {
  }
}

/* Low is driven, high is what the pull-ups make of it. */
static void pull(uint32_t pin) {
  GPIO_ENABLE_SET = 1U << pin;
  half_a_clock();
}

static void let_go(uint32_t pin) {
  GPIO_ENABLE_CLEAR = 1U << pin;
  half_a_clock();
}

/* By hand: nine clocks, then a STOP. */
void i2c_recover(void *context) {
  (void)context;
  const uint32_t sda = PIN(PIN_SDA), scl = PIN(PIN_SCL);
  GPIO_ENABLE_CLEAR = 1U << sda | 1U << scl;
  GPIO_OUT_CLEAR = 1U << sda | 1U << scl;
  connect(FUNCTION_GPIO);
  for (unsigned clock = 0; clock < FREEING_CLOCKS; clock++) {
    pull(scl);
    let_go(scl);
  }
  pull(scl);
  pull(sda);
  let_go(scl);
  let_go(sda);
  set_up();
  connect(FUNCTION_I2C);
}
