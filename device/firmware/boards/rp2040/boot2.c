/* The second stage of the boot: the ROM copies the first 256 bytes of flash into RAM, checks their CRC and calls them
   without a return address. It lets the processor run from flash and goes to whatever has its vectors behind it.

   Linked by itself; boot2_image.py puts the CRC behind it. */
#include "xip.h"

#define VECTORS (FLASH_BASE + 0x100U)

__attribute__((used, noreturn)) static void second_stage(void) {
  xip_start();
  SCB_VTOR = VECTORS;
  __asm__ volatile(
      "ldmia %0!, {r1, r2}\n"
      "msr msp, r1\n"
      "bx r2\n" ::"l"(VECTORS)
      : "r1", "r2");
  __builtin_unreachable();
}

__attribute__((naked, used, section(".entry"))) void boot2_entry(void);
__attribute__((naked, used, section(".entry"))) void boot2_entry(void) {
  __asm__ volatile("b second_stage\n");
}
