/* Pins by board, as port * 32 + pin. */
#ifndef PINS_H
#define PINS_H

#if defined PINS_xiao /* XIAO nRF52840 Sense: D4, D5, D6, D7 */
#define PIN_SDA 4U
#define PIN_SCL 5U
#define PIN_TX 43U
#define PIN_RX 44U
#define BOARD_PLATFORM "Cortex-M4F, nRF52840 on XIAO"
#elif defined PINS_feather /* Adafruit Feather nRF52840: SDA, SCL, TX, RX */
#define PIN_SDA 12U
#define PIN_SCL 11U
#define PIN_TX 25U
#define PIN_RX 24U
#define BOARD_PLATFORM "Cortex-M4F, nRF52840 on Feather"
#else
#error "nrf52840_PINS must be xiao or feather."
#endif

#endif
