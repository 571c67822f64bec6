/* Registers of the RP2040, as far as this board uses them.

   Source: RP2040 data sheet; ARMv6-M architecture reference manual. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

#include "processor.h"

#define CRYSTAL_HZ 12000000U
#define CORE_CLOCK_HZ 125000000U

#define REGISTER(address) (*(volatile uint32_t *)(address))
/* The same register, of which the bits of a written word are set or cleared. */
#define SET_BITS(address) REGISTER((address) + 0x2000U)
#define CLEAR_BITS(address) REGISTER((address) + 0x3000U)

#define FLASH_BASE 0x10000000U

#define RESETS_RESET 0x4000C000U
#define RESETS_DONE REGISTER(0x4000C008U)
#define RESETS_I2C0 (1U << 3)
#define RESETS_I2C1 (1U << 4)
#define RESETS_IO_BANK0 (1U << 5)
#define RESETS_PADS_BANK0 (1U << 8)
#define RESETS_PLL_SYS (1U << 12)
#define RESETS_PLL_USB (1U << 13)
#define RESETS_TIMER (1U << 21)
#define RESETS_UART0 (1U << 22)
#define RESETS_USBCTRL (1U << 24)

/* What a reset by the watchdog takes along: everything but the oscillators. */
#define PSM_WDSEL REGISTER(0x40010008U)
#define PSM_ALL_BUT_OSCILLATORS 0x0001FFFCU

#define XOSC_CTRL REGISTER(0x40024000U)
#define XOSC_STATUS REGISTER(0x40024004U)
#define XOSC_STARTUP REGISTER(0x4002400CU)
#define XOSC_ENABLE_1_TO_15_MHZ 0x00FABAA0U
#define XOSC_STABLE (1U << 31)

struct pll_registers {
  uint32_t cs;
  uint32_t power;
  uint32_t feedback;
  uint32_t divide;
};
#define PLL_SYS ((volatile struct pll_registers *)0x40028000U)
#define PLL_USB ((volatile struct pll_registers *)0x4002C000U)
#define PLL_LOCKED (1U << 31)
#define PLL_POWER_DOWN (1U << 0)
#define PLL_DIVIDER_DOWN (1U << 3)
#define PLL_VCO_DOWN (1U << 5)
#define PLL_ALL_DOWN 0x2DU

#define CLK_REF_CTRL REGISTER(0x40008030U)
#define CLK_REF_SELECTED REGISTER(0x40008038U)
#define CLK_REF_CRYSTAL 2U
#define CLK_SYS_CTRL 0x4000803CU
#define CLK_SYS_SELECTED REGISTER(0x40008044U)
#define CLK_SYS_AUXILIARY 1U /* of which 0 is the system PLL */
#define CLK_PERI_CTRL REGISTER(0x40008048U)
#define CLK_USB_CTRL REGISTER(0x40008054U)
#define CLK_ENABLE (1U << 11)

#define WATCHDOG_CTRL REGISTER(0x40058000U)
#define WATCHDOG_LOAD REGISTER(0x40058004U)
#define WATCHDOG_REASON REGISTER(0x40058008U)
#define WATCHDOG_SCRATCH(n) REGISTER(0x4005800CU + 4U * (n))
#define WATCHDOG_TICK REGISTER(0x4005802CU)
#define WATCHDOG_TRIGGER (1U << 31)
#define WATCHDOG_ENABLE (1U << 30)
#define WATCHDOG_PAUSE_IN_DEBUG (7U << 24)
#define WATCHDOG_TICK_ENABLE (1U << 9)

/* Which kind of chip it is: silicon, a gate array, or, where neither is said, a simulation. */
#define TBMAN_PLATFORM REGISTER(0x4006C000U)
#define TBMAN_SILICON 1U
#define TBMAN_GATE_ARRAY 2U

#define TIMER_ALARM0 REGISTER(0x40054010U)
#define TIMER_RAW_HIGH REGISTER(0x40054024U)
#define TIMER_RAW_LOW REGISTER(0x40054028U)
#define TIMER_INTERRUPT REGISTER(0x40054034U)
#define TIMER_INTERRUPT_ENABLE REGISTER(0x40054038U)

#define PAD(pin) REGISTER(0x4001C004U + 4U * (pin))
#define PAD_INPUT (1U << 6)
#define PAD_PULL_UP (1U << 3)
#define PAD_SCHMITT (1U << 1)
#define PAD_4_MILLIAMPERES (1U << 4)
#define PIN_FUNCTION(pin) REGISTER(0x40014004U + 8U * (pin))
#define FUNCTION_UART 2U
#define FUNCTION_I2C 3U
#define FUNCTION_GPIO 5U
#define GPIO_IN REGISTER(0xD0000004U)
#define GPIO_OUT_CLEAR REGISTER(0xD0000018U)
#define GPIO_ENABLE_SET REGISTER(0xD0000024U)
#define GPIO_ENABLE_CLEAR REGISTER(0xD0000028U)

/* A PL011. */
struct uart_registers {
  uint32_t data;
  uint32_t status;
  uint32_t unused_1[4];
  uint32_t flags;
  uint32_t unused_2[2];
  uint32_t divider;
  uint32_t divider_64ths;
  uint32_t line;
  uint32_t control;
  uint32_t levels;
  uint32_t interrupts_enabled;
  uint32_t interrupts_raw;
  uint32_t interrupts;
  uint32_t interrupts_clear;
};
#define UART0 ((volatile struct uart_registers *)0x40034000U)

/* DesignWare's. */
struct i2c_registers {
  uint32_t control;
  uint32_t target;
  uint32_t unused_1[2];
  uint32_t command;
  uint32_t slow_high, slow_low;
  uint32_t fast_high, fast_low;
  uint32_t unused_2[2];
  uint32_t interrupts;
  uint32_t interrupts_enabled;
  uint32_t interrupts_raw;
  uint32_t rx_level_wanted;
  uint32_t tx_level_wanted;
  uint32_t clear_all;
  uint32_t unused_3[4];
  uint32_t clear_abort;
  uint32_t unused_4[2];
  uint32_t clear_stop;
  uint32_t unused_5[2];
  uint32_t enable;
  uint32_t status;
  uint32_t tx_level;
  uint32_t rx_level;
  uint32_t data_hold;
  uint32_t abort_source;
  uint32_t unused_6[6];
  uint32_t enabled;
  uint32_t spikes;
};

#define TIMER_IRQ 0U
#define USB_IRQ 5U
#define UART0_IRQ 20U
#define I2C0_IRQ 23U

/* Give blocks of RESETS their power-on state. Every one is out of reset within some cycles of a clock that runs. */
static inline void reset_blocks(uint32_t blocks) {
  SET_BITS(RESETS_RESET) = blocks;
  CLEAR_BITS(RESETS_RESET) = blocks;
  while ((RESETS_DONE & blocks) != blocks) {
  }
}

#endif
