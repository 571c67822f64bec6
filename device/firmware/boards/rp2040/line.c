#include "line.h"

#include <string.h>

#include "registers.h"
#include "rom_flash.h"
#include "uart.h"
#include "usb.h"

size_t line_read(void *context, uint8_t *data, size_t size) {
  (void)context;
  const size_t count = usb_read(data, size);
  return count > 0U ? count : uart_read(data, size);
}

bool line_write(void *context, const uint8_t *data, size_t size) {
  (void)context;
  return usb_is_open() ? usb_write(data, size) : uart_write(data, size);
}

size_t line_room(void *context) {
  (void)context;
  return usb_is_open() ? usb_room() : uart_room();
}

uint32_t line_overruns(void *context) {
  (void)context;
  return uart_overruns(); /* USB makes its host wait */
}

void line_discard(void *context) {
  (void)context;
  usb_discard();
  uart_discard();
}

bool line_has_input(void) {
  return usb_has_input() || uart_has_input();
}

bool line_is_simulated(void) {
  return (TBMAN_PLATFORM & (TBMAN_SILICON | TBMAN_GATE_ARRAY)) == 0U;
}

#define SIMULATED_PREFIX "SIM-"
#define SIMULATED_DIGITS 8U
#define SERIAL_SIZE (2U * ROM_FLASH_UNIQUE_ID + 1U)

/* The flash chip's number in hexadecimal, or in decimal after "SIM-" where a simulator gave it. */
static const char *serial_number(void) {
  static const char digits[] = "0123456789ABCDEF";
  static char serial[SERIAL_SIZE];
  uint8_t id[ROM_FLASH_UNIQUE_ID];
  rom_flash_unique_id(id);
  if (!line_is_simulated()) {
    for (size_t i = 0; i < sizeof id; i++) {
      serial[2U * i] = digits[id[i] >> 4];
      serial[2U * i + 1U] = digits[id[i] & 15U];
    }
    return serial;
  }
  uint32_t number = (uint32_t)id[4] << 24 | (uint32_t)id[5] << 16 | (uint32_t)id[6] << 8 | id[7];
  memcpy(serial, SIMULATED_PREFIX, sizeof SIMULATED_PREFIX - 1U);
  for (size_t i = SIMULATED_DIGITS; i-- > 0U; number /= 10U) {
    serial[sizeof SIMULATED_PREFIX - 1U + i] = digits[number % 10U];
  }
  return serial;
}

const char *line_start(void) {
  const char *serial = serial_number();
  uart_start();
  usb_start(serial);
  return serial;
}
