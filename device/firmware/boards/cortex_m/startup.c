#include "startup.h"

#include "processor.h"

#define PAINT 0xC5C5C5C5U
#define FRAME_WORDS 8U
#define PROCESSOR_EXCEPTIONS 15

extern uint32_t stack_bottom[], stack_top[], data_source[], data_start[], data_end[], bss_start[], bss_end[];
int main(void);

size_t startup_stack_used(void *context) {
  (void)context;
  const uint32_t *word = stack_bottom;
  while (word < stack_top && *word == PAINT) {
    word++;
  }
  return (size_t)(stack_top - word) * sizeof *word;
}

_Noreturn void startup_leave_for(uint32_t vectors) {
  const uint32_t *table = (const uint32_t *)(uintptr_t)vectors;
  interrupts_off();
  NVIC_DISABLE = UINT32_MAX;
  NVIC_CLEAR = UINT32_MAX;
  SCB_VTOR = vectors;
  barrier();
  const uint32_t stack = table[0];
  const uint32_t entry = table[1];
  __asm__ volatile(
      "msr msp, %0\n"
      "cpsie i\n"
      "bx %1\n" ::"r"(stack),
      "r"(entry)
      : "memory");
  __builtin_unreachable();
}

__attribute__((used)) static _Noreturn void start(void) {
  startup_board();
  for (uint32_t *to = data_start, *from = data_source; to < data_end;) {
    *to++ = *from++;
  }
  for (uint32_t *to = bss_start; to < bss_end;) {
    *to++ = 0;
  }
  (void)main();
  startup_reset(NULL);
}

/* Paints the stack while nothing lies on it, so in assembly. A loader's vectors are left behind here, and interrupts
   stay off until main has a board that can bear them. */
__attribute__((naked, used, noreturn)) void reset_handler(void);
__attribute__((naked, used, noreturn)) void reset_handler(void) {
  __asm__ volatile(
      "cpsid i\n"
      "ldr r0, =vectors\n"
      "ldr r1, =0xE000ED08\n"
      "str r0, [r1]\n"
      "ldr r0, =stack_bottom\n"
      "ldr r1, =stack_top\n"
      "mov sp, r1\n"
      "ldr r2, =%c0\n"
      "1: str r2, [r0]\n"
      "adds r0, #4\n"
      "cmp r0, r1\n"
      "blo 1b\n"
      "bl start\n"
      ".ltorg\n" ::"i"(PAINT));
}

__attribute__((used)) static _Noreturn void fault(const uint32_t *frame, uint32_t exception) {
  const int readable = frame >= stack_bottom && frame + FRAME_WORDS <= stack_top;
  startup_fault(readable ? frame : NULL, exception);
}

/* Comes of anything the processor cannot do. The stack may be used up, so begin a new one. */
__attribute__((naked, used)) static void fault_handler(void) {
  __asm__ volatile(
      "mov r0, sp\n"
      "mrs r1, ipsr\n"
      "ldr r2, =stack_top\n"
      "mov sp, r2\n"
      "bl fault\n"
      ".ltorg\n");
}

__attribute__((weak, alias("fault_handler"))) void systick_handler(void);

struct vectors {
  uint32_t *stack;
  interrupt_handler processor[PROCESSOR_EXCEPTIONS];
};

extern const struct vectors vectors;
__attribute__((section(".vectors"), used)) const struct vectors vectors = {
    .stack = stack_top,
    .processor = {reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
                  fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
                  fault_handler, fault_handler, systick_handler},
};
