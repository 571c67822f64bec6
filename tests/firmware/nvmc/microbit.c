/* The nRF52840's flash driver on QEMU's microbit, an nRF51 whose flash controller has the same registers. Each line
   that it says is what one call returned, and the word that it was about. Ends QEMU by semihosting. */
#include <stddef.h>
#include <stdint.h>

#include "nvmc.h"

#define PAGES_START 0x00030000U
#define PAGE 1024U
#define UART_START_TX (*(volatile uint32_t *)0x40002008U)
#define UART_SENT (*(volatile uint32_t *)0x4000211CU)
#define UART_ENABLE (*(volatile uint32_t *)0x40002500U)
#define UART_TX (*(volatile uint32_t *)0x4000251CU)

extern uint32_t stack_top[];
_Noreturn void reset_handler(void);

static void say(char letter) {
  UART_SENT = 0;
  UART_TX = (uint32_t)letter;
  while (UART_SENT == 0U) {
  }
}

static void number(uint32_t value) {
  for (int shift = 28; shift >= 0; shift -= 4) {
    say("0123456789abcdef"[value >> shift & 15U]);
  }
}

static void line(const char *what, enum status status, uint32_t at) {
  while (*what != '\0') {
    say(*what++);
  }
  say(' ');
  number((uint32_t)status);
  say(' ');
  number(*(volatile uint32_t *)(uintptr_t)(PAGES_START + at));
  say('\n');
}

_Noreturn void reset_handler(void) {
  struct nvmc_pages pages = {.start = PAGES_START, .page_size = PAGE, .count = 2};
  const struct flash flash = nvmc_flash(&pages);
  const uint32_t words[3] = {0x12345678U, 0xFFFF0000U, 0x12340000U};
  uint32_t seen[2] = {0, 0};
  UART_ENABLE = 4;
  UART_START_TX = 1;
  line("erase-first", flash.erase(flash.context, 0), 0);
  line("erase-second", flash.erase(flash.context, 1), PAGE);
  line("program", flash.program(flash.context, 0, 0, words, 8), 0);
  line("second-word", STATUS_OK, 4);
  line("clear-bits", flash.program(flash.context, 0, 0, words + 2, 4), 0);
  line("same-again", flash.program(flash.context, 0, 0, words + 2, 4), 0);
  line("set-bits", flash.program(flash.context, 0, 0, words, 4), 0);
  *(volatile uint32_t *)(uintptr_t)(PAGES_START + 8U) = 0x55U; /* nobody allowed it */
  line("locked", STATUS_OK, 8);
  line("last", flash.program(flash.context, 1, PAGE - 4U, words, 4), 2U * PAGE - 4U);
  line("erase-other", flash.erase(flash.context, 0), 2U * PAGE - 4U);
  line("erased", STATUS_OK, 0);
  line("read", flash.read(flash.context, 1, PAGE - 8U, seen, 8), 0);
  line("no-page", flash.erase(flash.context, 2), 0);
  line("half-word", flash.program(flash.context, 0, 2, words, 4), 0);
  line("over-end", flash.program(flash.context, 0, PAGE - 4U, words, 8), PAGE - 4U);
  line(seen[0] == UINT32_MAX && seen[1] == words[0] ? "read-right" : "read-wrong", STATUS_OK, 0);
  __asm__ volatile("movs r0, #0x18\n ldr r1, =0x20026\n bkpt 0xAB\n" ::: "r0", "r1");
  for (;;) {
  }
}

__attribute__((section(".vectors"), used)) static const struct {
  uint32_t *stack;
  void (*reset)(void);
} vectors = {stack_top, reset_handler};
