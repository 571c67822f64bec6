/* The USB controller as a device: its registers and the memory it shares with the processor. */
#ifndef USB_REGISTERS_H
#define USB_REGISTERS_H

#include <stdint.h>

#include "registers.h"

#define USB_ENDPOINTS 16U

/* Word accesses alone reach the controller in all of its models. */
struct usb_memory {
  uint32_t setup[2];
  struct {
    uint32_t in, out;
  } endpoint[USB_ENDPOINTS - 1U]; /* from number 1 on */
  struct {
    uint32_t in, out;
  } buffer[USB_ENDPOINTS];
  uint32_t data[(0x1000U - 0x100U) / 4U];
};
#define USB_MEMORY ((volatile struct usb_memory *)0x50100000U)
#define USB_DATA_OFFSET 0x100U /* of `data` in it */

#define ENDPOINT_ENABLE (1U << 31)
#define ENDPOINT_INTERRUPT (1U << 29) /* for each buffer */
#define ENDPOINT_TYPE(type) ((uint32_t)(type) << 26)

#define BUFFER_FULL (1U << 15)
#define BUFFER_DATA1 (1U << 13)
#define BUFFER_STALL (1U << 11)
#define BUFFER_AVAILABLE (1U << 10)
#define BUFFER_LENGTH 0x3FFU

#define USB_ADDRESS REGISTER(0x50110000U)
#define USB_MAIN REGISTER(0x50110040U)
#define USB_SIE_CONTROL 0x5011004CU
#define USB_SIE_STATUS 0x50110050U
#define USB_BUFFER_STATUS 0x50110058U
#define USB_STALL_ARM REGISTER(0x50110068U)
#define USB_MUXING REGISTER(0x50110074U)
#define USB_POWER REGISTER(0x50110078U)
#define USB_INTERRUPTS_ENABLED REGISTER(0x50110090U)
#define USB_INTERRUPTS REGISTER(0x50110098U)

#define MAIN_ENABLE 1U
#define SIE_PULL_UP (1U << 16)
#define SIE_EP0_INTERRUPT (1U << 29)
#define SIE_SETUP (1U << 17)
#define SIE_BUS_RESET (1U << 19)
#define STALL_EP0_BOTH 3U
#define MUXING_TO_PHY (1U << 0 | 1U << 3)
#define POWER_DETECTED (1U << 3 | 1U << 2)
#define INTERRUPT_BUFFER (1U << 4)
#define INTERRUPT_BUS_RESET (1U << 12)
#define INTERRUPT_SETUP (1U << 16)

#endif
