/* What the board tells a host of itself over USB: a serial port (CDC, abstract control model). */
#ifndef USB_DESCRIPTORS_H
#define USB_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

/* The test identity of pid.codes, which is for development; whoever sells boards has one of their own. */
#define USB_VENDOR 0x1209U
#define USB_PRODUCT 0x0001U

#define USB_PACKET 64U
#define USB_NOTIFY_IN 1U
#define USB_DATA 2U /* both ways */
#define USB_NOTIFY_PACKET 16U

enum usb_descriptor_type {
  USB_DESCRIPTOR_DEVICE = 1,
  USB_DESCRIPTOR_CONFIGURATION = 2,
  USB_DESCRIPTOR_STRING = 3,
  USB_DESCRIPTOR_INTERFACE = 4,
  USB_DESCRIPTOR_ENDPOINT = 5,
  USB_DESCRIPTOR_ASSOCIATION = 11,
  USB_DESCRIPTOR_CLASS_INTERFACE = 0x24,
};

/* One descriptor; size 0 where there is none. Strings are made in a buffer that the next call overwrites. */
struct usb_descriptor {
  const uint8_t *data;
  size_t size;
};
struct usb_descriptor usb_descriptor(uint8_t type, uint8_t index, const char *serial);

#endif
