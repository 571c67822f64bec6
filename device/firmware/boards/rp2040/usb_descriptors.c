/* Tables, after the USB 2.0 specification, chapter 9, and the CDC and PSTN class definitions. */
#include "usb_descriptors.h"

#define CLASS_MISCELLANEOUS 0xEF
#define CLASS_CDC 2
#define CLASS_CDC_DATA 10
#define SUBCLASS_ABSTRACT_CONTROL 2
#define BULK 2
#define INTERRUPT 3
#define IN 0x80
#define LOW(word) ((uint8_t)((word)&0xFFU))
#define HIGH(word) ((uint8_t)((word) >> 8))

enum { STRING_LANGUAGES, STRING_MAKER, STRING_PRODUCT, STRING_SERIAL };
enum { INTERFACE_CONTROL, INTERFACE_DATA, INTERFACES };

static const uint8_t device_descriptor[] = {
    18,
    USB_DESCRIPTOR_DEVICE,
    0x00,
    0x02, /* USB 2.0 */
    CLASS_MISCELLANEOUS,
    2,
    1, /* interfaces are grouped by an association */
    USB_PACKET,
    LOW(USB_VENDOR),
    HIGH(USB_VENDOR),
    LOW(USB_PRODUCT),
    HIGH(USB_PRODUCT),
    0x00,
    0x01, /* version */
    STRING_MAKER,
    STRING_PRODUCT,
    STRING_SERIAL,
    1, /* configurations */
};

#define CONFIGURATION_SIZE (9 + 8 + 9 + 5 + 5 + 4 + 5 + 7 + 9 + 7 + 7)

static const uint8_t configuration_descriptor[CONFIGURATION_SIZE] = {
    /* clang-format off */
    9, USB_DESCRIPTOR_CONFIGURATION, CONFIGURATION_SIZE, 0, INTERFACES, 1, 0, 0x80, 100 / 2 /* mA */,
    8, USB_DESCRIPTOR_ASSOCIATION, INTERFACE_CONTROL, INTERFACES, CLASS_CDC, SUBCLASS_ABSTRACT_CONTROL, 0, 0,
    9, USB_DESCRIPTOR_INTERFACE, INTERFACE_CONTROL, 0, 1, CLASS_CDC, SUBCLASS_ABSTRACT_CONTROL, 0, 0,
    5, USB_DESCRIPTOR_CLASS_INTERFACE, 0 /* header */, 0x10, 0x01,
    5, USB_DESCRIPTOR_CLASS_INTERFACE, 1 /* call management: none */, 0, INTERFACE_DATA,
    4, USB_DESCRIPTOR_CLASS_INTERFACE, 2 /* abstract control */, 2 /* line coding and state */,
    5, USB_DESCRIPTOR_CLASS_INTERFACE, 6 /* union */, INTERFACE_CONTROL, INTERFACE_DATA,
    7, USB_DESCRIPTOR_ENDPOINT, IN | USB_NOTIFY_IN, INTERRUPT, USB_NOTIFY_PACKET, 0, 255 /* ms */,
    9, USB_DESCRIPTOR_INTERFACE, INTERFACE_DATA, 0, 2, CLASS_CDC_DATA, 0, 0, 0,
    7, USB_DESCRIPTOR_ENDPOINT, USB_DATA, BULK, USB_PACKET, 0, 0,
    7, USB_DESCRIPTOR_ENDPOINT, IN | USB_DATA, BULK, USB_PACKET, 0, 0,
    /* clang-format on */
};

static struct usb_descriptor string(const char *text) {
  static uint8_t encoded[2 + 2 * 31];
  size_t size = 2;
  for (; *text != '\0' && size < sizeof encoded; text++) {
    encoded[size++] = (uint8_t)*text;
    encoded[size++] = 0;
  }
  encoded[0] = (uint8_t)size;
  encoded[1] = USB_DESCRIPTOR_STRING;
  return (struct usb_descriptor){encoded, size};
}

static struct usb_descriptor string_of(uint8_t index, const char *serial) {
  static const uint8_t languages[] = {4, USB_DESCRIPTOR_STRING, 0x09, 0x04}; /* English */
  switch (index) {
    case STRING_LANGUAGES:
      return (struct usb_descriptor){languages, sizeof languages};
    case STRING_MAKER:
    case STRING_PRODUCT:
      return string(index == STRING_MAKER ? "thermo-edge" : "thermo-edge wearable");
    case STRING_SERIAL:
      return string(serial);
    default:
      return (struct usb_descriptor){NULL, 0};
  }
}

struct usb_descriptor usb_descriptor(uint8_t type, uint8_t index, const char *serial) {
  switch (type) {
    case USB_DESCRIPTOR_DEVICE:
      return (struct usb_descriptor){device_descriptor, sizeof device_descriptor};
    case USB_DESCRIPTOR_CONFIGURATION:
      return (struct usb_descriptor){configuration_descriptor, sizeof configuration_descriptor};
    case USB_DESCRIPTOR_STRING:
      return string_of(index, serial);
    default:
      return (struct usb_descriptor){NULL, 0};
  }
}
