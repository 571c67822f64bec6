/* What lies where in the nRF52840's flash, beside the firmware itself. */
#ifndef MEMORY_H
#define MEMORY_H

#define FLASH_PAGE 4096U /* that is erased at once */
#define STORES_START 0x000D0000U
#define STORES_PAGES 32U

#endif
