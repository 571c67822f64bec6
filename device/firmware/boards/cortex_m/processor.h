/* What every Cortex-M has in one place. The processor is alone, so nothing here locks against another one.

   Sources: ARMv6-M and ARMv7-M architecture reference manuals. */
#ifndef PROCESSOR_H
#define PROCESSOR_H

#include <stdint.h>

#define NVIC_ENABLE (*(volatile uint32_t *)0xE000E100U)
#define NVIC_DISABLE (*(volatile uint32_t *)0xE000E180U)
#define NVIC_CLEAR (*(volatile uint32_t *)0xE000E280U)
#define SCB_ICSR (*(volatile uint32_t *)0xE000ED04U)
#define SCB_ICSR_CLEAR_SYSTICK (1U << 25)
#define SCB_VTOR (*(volatile uint32_t *)0xE000ED08U)
#define SCB_AIRCR (*(volatile uint32_t *)0xE000ED0CU)
#define SCB_AIRCR_RESET 0x05FA0004U
/* Of ARMv7-M alone. */
#define SCB_CCR (*(volatile uint32_t *)0xE000ED14U)
#define SCB_CCR_DIVIDE_BY_ZERO_TRAP (1U << 4)
#define SCB_CFSR (*(volatile uint32_t *)0xE000ED28U)
#define SCB_CPACR (*(volatile uint32_t *)0xE000ED88U)
#define SCB_CPACR_FPU (0xFU << 20)

static inline void interrupts_off(void) {
  __asm__ volatile("cpsid i" ::: "memory");
}

static inline void interrupts_on(void) {
  __asm__ volatile("cpsie i\n isb" ::: "memory");
}

static inline void barrier(void) {
  __asm__ volatile("dsb\n isb" ::: "memory");
}

/* With interrupts off: until one is pending, which is served once they are on. */
static inline void wait_for_interrupt(void) {
  __asm__ volatile("dsb\n wfi" ::: "memory");
}

/* Until an interrupt has been served since the last one of these, or is: none is lost in between. */
static inline void wait_for_event(void) {
  __asm__ volatile("dsb\n wfe" ::: "memory");
}

/* The chip starts anew, as far as this request reaches. */
static inline _Noreturn void system_reset(void) {
  barrier();
  SCB_AIRCR = SCB_AIRCR_RESET;
  for (;;) {
  }
}

#endif
