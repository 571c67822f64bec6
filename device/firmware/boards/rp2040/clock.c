/* Oscillators, microseconds that go on over resets, and sleeping until an alarm of the timer. */
#include "clock.h"

#include <stddef.h>

#include "registers.h"
#include "retained_time.h"

#define CYCLES_US (CRYSTAL_HZ / 1000000U)
/* In steps of 256 cycles of the crystal: 64 ms, because those of some boards start slowly. */
#define CRYSTAL_STARTS 3008U
#define LONGEST_SLEEP_US 1000000U

static struct retained_time retained __attribute__((section(".noinit")));
static uint64_t base_us;

/* The crystal times `feedback`, divided by two dividers of 1 to 7. */
static void start_pll(volatile struct pll_registers *pll, uint32_t feedback, uint32_t first, uint32_t second) {
  pll->power = PLL_ALL_DOWN;
  pll->cs = 1;
  pll->feedback = feedback;
  pll->power = PLL_ALL_DOWN & ~(PLL_POWER_DOWN | PLL_VCO_DOWN);
  while ((pll->cs & PLL_LOCKED) == 0U) {
  }
  pll->divide = first << 16 | second << 12;
  pll->power = PLL_ALL_DOWN & ~(PLL_POWER_DOWN | PLL_VCO_DOWN | PLL_DIVIDER_DOWN);
}

/* Everything runs from the crystal while the PLLs change, as after a loader that had started them. */
static void start_oscillators(void) {
  XOSC_STARTUP = CRYSTAL_STARTS;
  XOSC_CTRL = XOSC_ENABLE_1_TO_15_MHZ;
  while ((XOSC_STATUS & XOSC_STABLE) == 0U) {
  }
  CLEAR_BITS(CLK_SYS_CTRL) = CLK_SYS_AUXILIARY;
  while ((CLK_SYS_SELECTED & 1U) == 0U) {
  }
  CLK_REF_CTRL = CLK_REF_CRYSTAL;
  while ((CLK_REF_SELECTED & 1U << CLK_REF_CRYSTAL) == 0U) {
  }
  reset_blocks(RESETS_PLL_SYS | RESETS_PLL_USB);
  start_pll(PLL_SYS, 125, 6, 2);
  start_pll(PLL_USB, 100, 5, 5);
  REGISTER(CLK_SYS_CTRL) = 0;
  SET_BITS(CLK_SYS_CTRL) = CLK_SYS_AUXILIARY;
  while ((CLK_SYS_SELECTED & 2U) == 0U) {
  }
  CLK_PERI_CTRL = CLK_ENABLE;
  CLK_USB_CTRL = CLK_ENABLE;
}

static uint64_t counted_us(void) {
  uint32_t high = TIMER_RAW_HIGH;
  for (;;) {
    const uint32_t low = TIMER_RAW_LOW;
    const uint32_t again = TIMER_RAW_HIGH;
    if (again == high) {
      return (uint64_t)high << 32 | low;
    }
    high = again;
  }
}

void clock_start(void) {
  start_oscillators();
  WATCHDOG_TICK = WATCHDOG_TICK_ENABLE | CYCLES_US; /* of the timer too */
  reset_blocks(RESETS_TIMER);
  TIMER_INTERRUPT_ENABLE = 1;
  NVIC_ENABLE = 1U << TIMER_IRQ;
  base_us = retained_time_read(&retained) - counted_us();
}

void clock_stop(void) {
  reset_blocks(RESETS_TIMER);
}

uint64_t clock_now_us(void *context) {
  (void)context;
  const uint64_t now_us = base_us + counted_us();
  retained_time_keep(&retained, now_us);
  return now_us;
}

void clock_sleep_until_us(uint64_t time_us, bool (*awake)(void)) {
  for (;;) {
    const uint64_t from_us = clock_now_us(NULL);
    if (time_us <= from_us || awake()) {
      return;
    }
    const uint64_t left_us = time_us - from_us;
    const uint32_t sleep_us = left_us < LONGEST_SLEEP_US ? (uint32_t)left_us : LONGEST_SLEEP_US;
    TIMER_ALARM0 = (uint32_t)(from_us - base_us) + sleep_us;
    /* An alarm for a time that has passed meanwhile would wait for more than an hour. */
    if (clock_now_us(NULL) - from_us < sleep_us && !awake()) {
      wait_for_event();
    }
  }
}

/* It has woken the processor, which is all it is for. */
void clock_handler(void) {
  TIMER_INTERRUPT = 1;
}
