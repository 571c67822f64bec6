/* Timer 0 counts microseconds of the crystal and wakes the processor; RAM keeps the time over resets. */
#include "clock.h"

#include <stddef.h>

#include "registers.h"

#define NOW 0U  /* channel that is captured */
#define WAKE 1U /* channel that is compared */
/* Longest sleep at once: the counter wraps after 71 minutes. */
#define LONGEST_SLEEP_US 1000000U
/* Sooner than this a comparison might be set after its time. */
#define SHORTEST_SLEEP_US 3U
#define CRYSTAL_LOOKS 100000U
/* Readings after the one that is kept may have been given. */
#define AFTER_RESET_US 1000U

/* A reset may come between two words, and RAM holds anything after power-on. */
struct kept_time {
  uint64_t time_us;
  uint64_t inverse;
};
static struct kept_time kept[2] __attribute__((section(".noinit")));
static uint32_t writes;

static uint64_t now_us;
static uint32_t counted;

static uint32_t count(void) {
  TIMER_CAPTURE(0, NOW) = 1;
  return TIMER_VALUE(0, NOW);
}

static void keep(void) {
  struct kept_time *const next = &kept[++writes & 1U];
  next->inverse = 0;
  next->time_us = now_us;
  next->inverse = ~now_us;
}

static uint64_t latest_kept_us(void) {
  uint64_t latest_us = 0;
  for (size_t i = 0; i < 2; i++) {
    if (kept[i].inverse == ~kept[i].time_us && kept[i].time_us + AFTER_RESET_US > latest_us) {
      latest_us = kept[i].time_us + AFTER_RESET_US;
    }
  }
  return latest_us;
}

/* Without its crystal a board goes on with the oscillator inside, which is within some per cent. */
void clock_start(void) {
  CLOCK_START_CRYSTAL = 1;
  for (uint32_t i = 0; i < CRYSTAL_LOOKS && CLOCK_CRYSTAL_STARTED == 0U; i++) {
  }
  TIMER_MODE(0) = 0;
  TIMER_WIDTH(0) = TIMER_WIDTH_32;
  TIMER_PRESCALER(0) = TIMER_PRESCALER_1MHZ;
  TIMER_CLEAR(0) = 1;
  TIMER_START(0) = 1;
  NVIC_ENABLE = 1U << TIMER0_IRQ;
  counted = count();
  now_us = latest_kept_us();
}

void clock_stop(void) {
  TIMER_INTERRUPTS_OFF(0) = UINT32_MAX;
  TIMER_STOP(0) = 1;
}

uint64_t clock_now_us(void *context) {
  (void)context;
  const uint32_t value = count();
  if (value != counted) {
    now_us += value - counted;
    counted = value;
    keep();
  }
  return now_us;
}

void clock_sleep_until_us(uint64_t time_us, bool (*awake)(void)) {
  for (;;) {
    const uint64_t from_us = clock_now_us(NULL);
    if (time_us <= from_us || awake()) {
      return;
    }
    const uint64_t left_us = time_us - from_us;
    const uint32_t until = counted + (left_us < LONGEST_SLEEP_US ? (uint32_t)left_us : LONGEST_SLEEP_US);
    TIMER_REACHED(0, WAKE) = 0;
    TIMER_VALUE(0, WAKE) = until;
    TIMER_INTERRUPTS_ON(0) = TIMER_INTERRUPT_REACHED(WAKE);
    /* An interrupt that comes between the question and the sleep stays pending and ends the sleep at once. */
    interrupts_off();
    const uint32_t left = until - count();
    if (!awake() && left >= SHORTEST_SLEEP_US && left <= LONGEST_SLEEP_US) {
      wait_for_interrupt();
    }
    TIMER_INTERRUPTS_OFF(0) = TIMER_INTERRUPT_REACHED(WAKE);
    interrupts_on();
  }
}

/* It has woken the processor, which is all it is for. */
void clock_handler(void) {
  TIMER_REACHED(0, WAKE) = 0;
  (void)TIMER_REACHED(0, WAKE); /* the write has arrived before the interrupt ends */
}
