/* Registers of the Cortex-M4 and of the nRF52840's peripherals, as far as this board uses them.

   Sources: ARMv7-M architecture reference manual; nRF52840 product specification. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

#include "processor.h"

typedef volatile uint32_t reg;

#define POWER_RESET_REASON (*(reg *)0x40000400U)
#define RESET_REASON_WATCHDOG (1U << 1)
#define RESET_REASON_SOFTWARE (1U << 2)
#define RESET_REASON_LOCKUP (1U << 3)
#define CLOCK_START_CRYSTAL (*(reg *)0x40000000U)
#define CLOCK_CRYSTAL_STARTED (*(reg *)0x40000100U)

#define DEVICE_ID ((reg *)0x10000060U) /* two words */
#define DEVICE_PART (*(reg *)0x10000100U)
#define DEVICE_PART_NRF52840 0x52840U

#define GPIO(port) (0x50000000U + 0x300U * (port))
#define GPIO_OUT_SET(port) (*(reg *)(GPIO(port) + 0x508U))
#define GPIO_OUT_CLEAR(port) (*(reg *)(GPIO(port) + 0x50CU))
#define GPIO_IN(port) (*(reg *)(GPIO(port) + 0x510U))
#define GPIO_CONFIG(port, pin) (*(reg *)(GPIO(port) + 0x700U + 4U * (pin)))
#define GPIO_CONFIG_OUTPUT 1U
#define GPIO_CONFIG_NO_INPUT (1U << 1)
#define GPIO_CONFIG_PULL_UP (3U << 2)
#define GPIO_CONFIG_OPEN_DRAIN (6U << 8)

#define UARTE0 0x40002000U
#define UARTE_START_RX (*(reg *)(UARTE0 + 0x000U))
#define UARTE_STOP_RX (*(reg *)(UARTE0 + 0x004U))
#define UARTE_START_TX (*(reg *)(UARTE0 + 0x008U))
#define UARTE_STOP_TX (*(reg *)(UARTE0 + 0x00CU))
#define UARTE_RX_READY_AT (UARTE0 + 0x108U)
#define UARTE_RX_READY (*(reg *)UARTE_RX_READY_AT)
#define UARTE_TX_ENDED (*(reg *)(UARTE0 + 0x120U))
#define UARTE_ERROR (*(reg *)(UARTE0 + 0x124U))
#define UARTE_RX_STOPPED (*(reg *)(UARTE0 + 0x144U))
#define UARTE_SHORTS (*(reg *)(UARTE0 + 0x200U))
#define UARTE_SHORT_RX_ENDED_START (1U << 5)
#define UARTE_INTERRUPTS_ON (*(reg *)(UARTE0 + 0x304U))
#define UARTE_INTERRUPTS_OFF (*(reg *)(UARTE0 + 0x308U))
#define UARTE_INTERRUPT_RX_READY (1U << 2)
#define UARTE_INTERRUPT_TX_ENDED (1U << 8)
#define UARTE_INTERRUPT_ERROR (1U << 9)
#define UARTE_ERROR_SOURCE (*(reg *)(UARTE0 + 0x480U))
#define UARTE_ERROR_OVERRUN 1U
#define UARTE_ENABLE (*(reg *)(UARTE0 + 0x500U))
#define UARTE_ENABLED 8U
#define UARTE_PIN_TX (*(reg *)(UARTE0 + 0x50CU))
#define UARTE_PIN_RX (*(reg *)(UARTE0 + 0x514U))
#define UARTE_BAUD (*(reg *)(UARTE0 + 0x524U))
#define UARTE_BAUD_1M 0x10000000U
#define UARTE_RX_POINTER (*(reg *)(UARTE0 + 0x534U))
#define UARTE_RX_SIZE (*(reg *)(UARTE0 + 0x538U))
#define UARTE_TX_POINTER (*(reg *)(UARTE0 + 0x544U))
#define UARTE_TX_SIZE (*(reg *)(UARTE0 + 0x548U))
#define UARTE_IRQ 2U

#define TWIM0 0x40003000U
#define TWIM_START_RX (*(reg *)(TWIM0 + 0x000U))
#define TWIM_START_TX (*(reg *)(TWIM0 + 0x008U))
#define TWIM_STOP (*(reg *)(TWIM0 + 0x014U))
#define TWIM_RESUME (*(reg *)(TWIM0 + 0x020U))
#define TWIM_STOPPED (*(reg *)(TWIM0 + 0x104U))
#define TWIM_ERROR (*(reg *)(TWIM0 + 0x124U))
#define TWIM_SHORTS (*(reg *)(TWIM0 + 0x200U))
#define TWIM_SHORT_TX_START_RX (1U << 7)
#define TWIM_SHORT_TX_STOP (1U << 9)
#define TWIM_SHORT_RX_STOP (1U << 12)
#define TWIM_INTERRUPTS_ON (*(reg *)(TWIM0 + 0x304U))
#define TWIM_INTERRUPTS_OFF (*(reg *)(TWIM0 + 0x308U))
#define TWIM_INTERRUPT_STOPPED (1U << 1)
#define TWIM_INTERRUPT_ERROR (1U << 9)
#define TWIM_ERROR_SOURCE (*(reg *)(TWIM0 + 0x4C4U))
#define TWIM_ERROR_NACK 6U /* of the address, of a byte */
#define TWIM_ENABLE (*(reg *)(TWIM0 + 0x500U))
#define TWIM_ENABLED 6U
#define TWIM_PIN_SCL (*(reg *)(TWIM0 + 0x508U))
#define TWIM_PIN_SDA (*(reg *)(TWIM0 + 0x50CU))
#define TWIM_FREQUENCY (*(reg *)(TWIM0 + 0x524U))
#define TWIM_RX_POINTER (*(reg *)(TWIM0 + 0x534U))
#define TWIM_RX_SIZE (*(reg *)(TWIM0 + 0x538U))
#define TWIM_RX_AMOUNT (*(reg *)(TWIM0 + 0x53CU))
#define TWIM_TX_POINTER (*(reg *)(TWIM0 + 0x544U))
#define TWIM_TX_SIZE (*(reg *)(TWIM0 + 0x548U))
#define TWIM_TX_AMOUNT (*(reg *)(TWIM0 + 0x54CU))
#define TWIM_ADDRESS (*(reg *)(TWIM0 + 0x588U))
#define TWIM_IRQ 3U

/* Timer 0 tells the time, timer 1 counts bytes. */
#define TIMER(number) (0x40008000U + 0x1000U * (number))
#define TIMER_START(number) (*(reg *)(TIMER(number) + 0x000U))
#define TIMER_STOP(number) (*(reg *)(TIMER(number) + 0x004U))
#define TIMER_COUNT_AT(number) (TIMER(number) + 0x008U)
#define TIMER_CLEAR(number) (*(reg *)(TIMER(number) + 0x00CU))
#define TIMER_CAPTURE(number, channel) (*(reg *)(TIMER(number) + 0x040U + 4U * (channel)))
#define TIMER_REACHED(number, channel) (*(reg *)(TIMER(number) + 0x140U + 4U * (channel)))
#define TIMER_INTERRUPTS_ON(number) (*(reg *)(TIMER(number) + 0x304U))
#define TIMER_INTERRUPTS_OFF(number) (*(reg *)(TIMER(number) + 0x308U))
#define TIMER_INTERRUPT_REACHED(channel) (1U << (16U + (channel)))
#define TIMER_MODE(number) (*(reg *)(TIMER(number) + 0x504U))
#define TIMER_MODE_COUNTER 2U
#define TIMER_WIDTH(number) (*(reg *)(TIMER(number) + 0x508U))
#define TIMER_WIDTH_32 3U
#define TIMER_PRESCALER(number) (*(reg *)(TIMER(number) + 0x510U))
#define TIMER_PRESCALER_1MHZ 4U
#define TIMER_VALUE(number, channel) (*(reg *)(TIMER(number) + 0x540U + 4U * (channel)))
#define TIMER0_IRQ 8U

#define PPI_ENABLE_SET (*(reg *)0x4001F504U)
#define PPI_ENABLE_CLEAR (*(reg *)0x4001F508U)
#define PPI_EVENT(channel) (*(reg *)(0x4001F510U + 8U * (channel)))
#define PPI_TASK(channel) (*(reg *)(0x4001F514U + 8U * (channel)))

#define WATCHDOG_START (*(reg *)0x40010000U)
#define WATCHDOG_RUNS (*(reg *)0x40010400U)
#define WATCHDOG_RELOAD_VALUE (*(reg *)0x40010504U)
#define WATCHDOG_CONFIG (*(reg *)0x4001050CU)
#define WATCHDOG_CONFIG_SLEEP 1U /* runs while the processor sleeps, and not while a debugger holds it */
#define WATCHDOG_RELOAD (*(reg *)0x40010600U)
#define WATCHDOG_RELOAD_KEY 0x6E524635U
#define WATCHDOG_HZ 32768U

#define NVMC_READY (*(reg *)0x4001E400U)
#define NVMC_CONFIG (*(reg *)0x4001E504U)
#define NVMC_READ_ONLY 0U
#define NVMC_WRITE 1U
#define NVMC_ERASE 2U
#define NVMC_ERASE_PAGE (*(reg *)0x4001E508U)
#define NVMC_CACHE (*(reg *)0x4001E540U)
#define NVMC_CACHE_ON 1U

#endif
