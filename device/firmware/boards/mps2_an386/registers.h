/* Registers of the Cortex-M4 and of the MPS2's peripherals, as far as this board uses them.

   Sources: ARMv7-M architecture reference manual; Cortex-M System Design Kit technical reference manual; application
   note AN386. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

#include "processor.h"

#define CORE_CLOCK_HZ 25000000U

struct uart_registers {
  uint32_t data;
  uint32_t state;
  uint32_t control;
  uint32_t interrupt;
  uint32_t baud_divider;
};
#define UART0 ((volatile struct uart_registers *)0x40004000U)
#define UART1 ((volatile struct uart_registers *)0x40005000U)
#define UART0_RX_IRQ 0U
#define UART0_TX_IRQ 1U
#define UART1_RX_IRQ 2U
#define UART_STATE_TX_FULL 1U
#define UART_STATE_RX_FULL 2U
#define UART_CONTROL_TX 1U
#define UART_CONTROL_RX 2U
#define UART_CONTROL_TX_INTERRUPT 4U
#define UART_CONTROL_RX_INTERRUPT 8U
#define UART_INTERRUPT_TX 1U
#define UART_INTERRUPT_RX 2U

struct timer_registers {
  uint32_t control;
  uint32_t value; /* counts down */
  uint32_t reload;
  uint32_t interrupt;
};
#define TIMER0 ((volatile struct timer_registers *)0x40000000U)
#define TIMER_CONTROL_ENABLE 1U

struct watchdog_registers {
  uint32_t load;
  uint32_t value;
  uint32_t control;
  uint32_t clear; /* writing starts the count anew */
};
#define WATCHDOG ((volatile struct watchdog_registers *)0x40008000U)
#define WATCHDOG_LOCK (*(volatile uint32_t *)0x40008C00U)
#define WATCHDOG_UNLOCK_KEY 0x1ACCE551U
#define WATCHDOG_CONTROL_NMI 1U
#define WATCHDOG_CONTROL_RESET 2U

struct systick_registers {
  uint32_t control;
  uint32_t load;
  uint32_t value;
};
#define SYSTICK ((volatile struct systick_registers *)0xE000E010U)
#define SYSTICK_CONTROL_ENABLE 1U
#define SYSTICK_CONTROL_INTERRUPT 2U
#define SYSTICK_CONTROL_CORE_CLOCK 4U
#define SYSTICK_LONGEST 0xFFFFFFU

#endif
