/* Which pins are used, given to the linker by board.mk: pins are numbers, and no object depends on them. */
#ifndef PINS_H
#define PINS_H

#include <stdint.h>

#include "registers.h"

extern const char PIN_SDA[], PIN_SCL[], PIN_TX[], PIN_RX[];
#define PIN(name) ((uint32_t)(uintptr_t)(name))

static inline void pin_connect(uint32_t pin, uint32_t function, uint32_t pad) {
  PAD(pin) = PAD_INPUT | PAD_SCHMITT | PAD_4_MILLIAMPERES | pad;
  PIN_FUNCTION(pin) = function;
}

#endif
