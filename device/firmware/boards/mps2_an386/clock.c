/* Microseconds that go on over resets, and sleeping: timer 0 counts, SysTick wakes. */
#include "clock.h"

#include <stddef.h>

#include "memory.h"
#include "registers.h"
#include "report.h"
#include "retained_time.h"
#include "startup.h"

#define TICKS_PER_US (CORE_CLOCK_HZ / 1000000U)

static uint64_t now_us;
static uint32_t counted;  /* timer 0 when `now_us` was last brought up to date */
static uint32_t leftover; /* ticks since then that make no whole microsecond */

void clock_start(void) {
  TIMER0->reload = UINT32_MAX;
  TIMER0->value = UINT32_MAX;
  TIMER0->control = TIMER_CONTROL_ENABLE;
  counted = TIMER0->value;
  now_us = retained_time_read(&SHARED->time);
}

void clock_stop(void) {
  SYSTICK->control = 0;
  SCB_ICSR = SCB_ICSR_CLEAR_SYSTICK;
}

/* The timer wraps after 171 s, long after the watchdog would have bitten whoever does not ask. */
uint64_t clock_now_us(void *context) {
  (void)context;
  const uint32_t value = TIMER0->value;
  const uint32_t passed = counted - value;
  counted = value;
  now_us += passed / TICKS_PER_US;
  leftover += passed % TICKS_PER_US;
  if (leftover >= TICKS_PER_US) {
    leftover -= TICKS_PER_US;
    now_us++;
  }
  retained_time_keep(&SHARED->time, now_us);
  return now_us;
}

void clock_sleep_until_us(uint64_t time_us, bool (*awake)(void)) {
  const uint64_t began_us = clock_now_us(NULL);
  for (;;) {
    const uint64_t from_us = clock_now_us(NULL);
    if (time_us <= from_us || awake()) {
      report_slept(from_us - began_us);
      return;
    }
    const uint64_t left_us = time_us - from_us;
    const uint32_t ticks =
        left_us < SYSTICK_LONGEST / TICKS_PER_US ? (uint32_t)left_us * TICKS_PER_US : SYSTICK_LONGEST;
    SYSTICK->load = ticks;
    SYSTICK->value = 0;
    SYSTICK->control = SYSTICK_CONTROL_ENABLE | SYSTICK_CONTROL_INTERRUPT | SYSTICK_CONTROL_CORE_CLOCK;
    /* An interrupt that comes between the question and the sleep stays pending and ends the sleep at once. */
    interrupts_off();
    if (!awake()) {
      wait_for_interrupt();
    }
    clock_stop();
    interrupts_on();
  }
}

/* It has woken the processor, which is all it is for. */
void systick_handler(void) {
}
