/* Start-up of an emulated Cortex-M and the little of a C library that tests need: text goes to the semihosting console. */
#include <stddef.h>
#include <stdint.h>

extern uint32_t stack_top, data_from, data_start, data_end, bss_start, bss_end;
int main(void);

static int semihost(int operation, const void *argument) {
  register int r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

void say(const char *text) {
  semihost(0x04, text);
}

static void stop(uint32_t code) {
  const uint32_t arguments[2] = {0x20026, code};
  semihost(0x20, arguments);
  for (;;) {
  }
}

static void fault(void) {
  say("FAULT\n");
  stop(99);
}

static void run(void) {
#if __ARM_ARCH == 6
  *(volatile uint32_t *)0xE000ED14 |= 1U << 3; /* words may not be unaligned: QEMU's M0 has to be told */
#else
  *(volatile uint32_t *)0xE000ED88 |= 0xFU << 20; /* FPU and MVE on */
  *(volatile uint32_t *)0xE000ED14 |= 7U << 16;   /* low-overhead loops */
  *(volatile uint32_t *)0xE000ED14 &= ~(1U << 3); /* words may be unaligned */
#endif
  __asm__ volatile("dsb\n isb");
  for (uint32_t *to = &data_start, *from = &data_from; to < &data_end;) {
    *to++ = *from++;
  }
  for (uint32_t *to = &bss_start; to < &bss_end;) {
    *to++ = 0;
  }
#if defined(__ARM_FEATURE_MVE)
  __asm__ volatile("vmsr fpscr, %0" ::"r"(0x00040000));
#endif
  stop((uint32_t)main());
}

__attribute__((naked, used)) void reset(void) {
  __asm__ volatile("ldr r0, =stack_top\n mov sp, r0\n b start\n");
}

__attribute__((used)) void start(void) {
  run();
}

__attribute__((section(".vectors"), used)) const void *const vectors[16] = {
    &stack_top, (void *)reset, (void *)fault, (void *)fault, (void *)fault, (void *)fault, (void *)fault, (void *)fault};
