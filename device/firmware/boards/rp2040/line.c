/* The serial line: USB while a host has that open, and the UART otherwise. */
#include "line.h"

#include "identity.h"
#include "registers.h"
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

/* By its serial number USB tells this board from others. */
void line_start(void) {
  reset_blocks(RESETS_IO_BANK0 | RESETS_PADS_BANK0);
  uart_start();
  usb_start(identity_serial());
}

void line_stop(void) {
  reset_blocks(RESETS_USBCTRL | RESETS_UART0);
}
