/* How the flash is read while programs run from it. The second stage of the boot uses this before anything else runs,
   and whoever wrote to flash afterwards. */
#ifndef XIP_H
#define XIP_H

#include "registers.h"

#define SSI_CTRLR0 REGISTER(0x18000000U)
#define SSI_CTRLR1 REGISTER(0x18000004U)
#define SSI_ENABLE REGISTER(0x18000008U)
#define SSI_BAUD REGISTER(0x18000014U)
#define SSI_STATUS REGISTER(0x18000028U)
#define SSI_DATA REGISTER(0x18000060U)
#define SSI_SPI_CTRLR0 REGISTER(0x180000F4U)
#define SSI_STATUS_ROOM (1U << 1)
#define SSI_STATUS_RECEIVED (1U << 3)

/* Read command 0x03, which every chip has and which needs no setting in it, with a quarter of the system clock: at most
   33 MHz, for which all of them are good. */
__attribute__((always_inline)) static inline void xip_start(void) {
  SSI_ENABLE = 0;
  SSI_BAUD = 4;
  SSI_CTRLR0 = 31U << 16 | 3U << 8; /* frames of 32 bits on one wire, read after a command */
  SSI_CTRLR1 = 0;
  SSI_SPI_CTRLR0 = 0x03U << 24 | 2U << 8 | 6U << 2; /* a command of 8 bits, an address of 24 */
  SSI_ENABLE = 1;
}

#endif
