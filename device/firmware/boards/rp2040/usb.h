/* USB as a serial port: a host opens it, and two rings carry the bytes. There is one. */
#ifndef USB_H
#define USB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `serial` tells this board from all others, ASCII; it must stay. */
void usb_start(const char *serial);
/* Whether a host has opened the port: it is configured, and a terminal is ready (DTR). */
bool usb_is_open(void);
size_t usb_read(uint8_t *data, size_t size);
/* All of it or nothing. */
bool usb_write(const uint8_t *data, size_t size);
size_t usb_room(void);
void usb_discard(void);
bool usb_has_input(void);

void usb_handler(void);

#endif
