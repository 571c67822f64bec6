/* The RP2040's USB controller as a CDC device. Every endpoint has one buffer, which belongs to the controller from the
   moment it is made available until the controller says so. All but `usb_read` and `usb_write` runs in the interrupt.
 */
#include "usb.h"

#include "registers.h"
#include "ring.h"
#include "usb_descriptors.h"
#include "usb_registers.h"

#define RX_SIZE 1024U
#define TX_SIZE 4096U

/* Where the buffers of the endpoints lie in the memory's data, bytes; endpoint 0 has the first 64 for both ways. */
#define BUFFER_NOTIFY 0x80U
#define BUFFER_DATA_OUT 0xC0U
#define BUFFER_DATA_IN 0x100U

#define TYPE_BULK 2U
#define TYPE_INTERRUPT 3U

enum { /* of bmRequestType: way, kind and recipient; of bRequest, by kind */
       REQUEST_IN = 0x80,
       REQUEST_KIND = 0x60,
       KIND_STANDARD = 0x00,
       KIND_CLASS = 0x20,
       RECIPIENT_ENDPOINT = 0x02,
       GET_STATUS = 0,
       CLEAR_FEATURE = 1,
       SET_FEATURE = 3,
       SET_ADDRESS = 5,
       GET_DESCRIPTOR = 6,
       GET_CONFIGURATION = 8,
       SET_CONFIGURATION = 9,
       GET_INTERFACE = 10,
       SET_INTERFACE = 11,
       SET_LINE_CODING = 0x20,
       GET_LINE_CODING = 0x21,
       SET_CONTROL_LINE_STATE = 0x22,
       SEND_BREAK = 0x23
};
#define LINE_STATE_READY 1U
#define LINE_CODING_SIZE 7U

struct setup {
  uint8_t type, request;
  uint16_t value, index, length;
};

static uint8_t rx_bytes[RX_SIZE], tx_bytes[TX_SIZE];
static struct ring rx = {.bytes = rx_bytes, .size = RX_SIZE}, tx = {.bytes = tx_bytes, .size = TX_SIZE};

static struct {
  const char *serial;
  volatile bool configured, ready;
  uint8_t address; /* to be taken once the host knows that it was heard; 0 where there is none */
  bool coding_comes;
  uint8_t coding[LINE_CODING_SIZE];
  const uint8_t *answer; /* what is left of the answer on endpoint 0 */
  size_t answer_left;
  bool answer_ends_short;       /* a packet that is not full has to end it */
  uint32_t next_in0, next_out0; /* DATA0 or DATA1 of what comes next */
  uint32_t next_in, next_out;
  bool sending, full_packet; /* a packet is under way; it was full, so that none would end the transfer */
  bool receiving;
} usb = {.coding = {0x40, 0x42, 0x0F, 0x00, 0, 0, 8}}; /* a million baud, 8N1 */

static void copy_to_memory(uint32_t offset, const uint8_t *data, size_t size) {
  for (size_t at = 0; at < size; at += 4U) {
    uint32_t word = 0;
    for (size_t i = 0; i < 4U && at + i < size; i++) {
      word |= (uint32_t)data[at + i] << 8 * i;
    }
    USB_MEMORY->data[(offset + at) / 4U] = word;
  }
}

static uint8_t memory_byte(uint32_t offset) {
  return (uint8_t)(USB_MEMORY->data[offset / 4U] >> 8U * (offset % 4U));
}

/* The controller runs by a clock of its own: the other bits have to stand before it is told that the buffer is its. */
static void hand_over(volatile uint32_t *buffer, uint32_t *next, uint32_t bits) {
  *buffer = bits | *next;
  __asm__ volatile("b 1f\n1: b 1f\n1: b 1f\n1: b 1f\n1: b 1f\n1: b 1f\n1:\n");
  *buffer = bits | *next | BUFFER_AVAILABLE;
  *next ^= BUFFER_DATA1;
}

static void answer_on(void) {
  const size_t size = usb.answer_left < USB_PACKET ? usb.answer_left : USB_PACKET;
  copy_to_memory(0, usb.answer, size);
  usb.answer += size;
  usb.answer_left -= size;
  if (size < USB_PACKET) {
    usb.answer_ends_short = false;
  }
  hand_over(&USB_MEMORY->buffer[0].in, &usb.next_in0, BUFFER_FULL | (uint32_t)size);
}

/* With at most as many bytes as were asked for; then the host says that it has them, by a packet without any. */
static void answer(const struct setup *setup, const uint8_t *data, size_t size) {
  usb.answer = data;
  usb.answer_left = size < setup->length ? size : setup->length;
  usb.answer_ends_short = usb.answer_left < setup->length;
  answer_on();
}

/* Of a request that has no answer, or whose data were taken. */
static void done(void) {
  usb.next_in0 = BUFFER_DATA1;
  hand_over(&USB_MEMORY->buffer[0].in, &usb.next_in0, BUFFER_FULL);
}

static void expect(uint32_t size) {
  hand_over(&USB_MEMORY->buffer[0].out, &usb.next_out0, size);
}

static void refuse(void) {
  USB_STALL_ARM = STALL_EP0_BOTH;
  USB_MEMORY->buffer[0].in = BUFFER_STALL;
  USB_MEMORY->buffer[0].out = BUFFER_STALL;
}

static void receive_on(void) {
  if (usb.configured && !usb.receiving && ring_room(&rx) >= USB_PACKET) {
    usb.receiving = true;
    hand_over(&USB_MEMORY->buffer[USB_DATA].out, &usb.next_out, USB_PACKET);
  }
}

static void send_on(void) {
  if (!usb.configured || usb.sending || (ring_count(&tx) == 0U && !usb.full_packet)) {
    return;
  }
  uint8_t packet[USB_PACKET];
  const size_t size = ring_take_all(&tx, packet, sizeof packet);
  copy_to_memory(BUFFER_DATA_IN, packet, size);
  usb.sending = true;
  usb.full_packet = size == USB_PACKET;
  hand_over(&USB_MEMORY->buffer[USB_DATA].in, &usb.next_in, BUFFER_FULL | (uint32_t)size);
}

static void forget(void) {
  usb.configured = usb.ready = usb.sending = usb.receiving = usb.full_packet = usb.coding_comes = false;
  usb.next_in = usb.next_out = 0;
  tx.out = tx.in;
}

static void configure(void) {
  forget();
  USB_MEMORY->endpoint[USB_NOTIFY_IN - 1U].in =
      ENDPOINT_ENABLE | ENDPOINT_INTERRUPT | ENDPOINT_TYPE(TYPE_INTERRUPT) | (USB_DATA_OFFSET + BUFFER_NOTIFY);
  USB_MEMORY->endpoint[USB_DATA - 1U].out =
      ENDPOINT_ENABLE | ENDPOINT_INTERRUPT | ENDPOINT_TYPE(TYPE_BULK) | (USB_DATA_OFFSET + BUFFER_DATA_OUT);
  USB_MEMORY->endpoint[USB_DATA - 1U].in =
      ENDPOINT_ENABLE | ENDPOINT_INTERRUPT | ENDPOINT_TYPE(TYPE_BULK) | (USB_DATA_OFFSET + BUFFER_DATA_IN);
  usb.configured = true;
  receive_on();
}

/* A host that found an endpoint halted begins with DATA0 again. */
static void clear_halt(uint16_t endpoint) {
  if (endpoint == USB_DATA) {
    usb.next_out = 0;
  } else if (endpoint == (REQUEST_IN | USB_DATA)) {
    usb.next_in = 0;
  }
}

static void standard_request(const struct setup *setup) {
  static const uint8_t nothing[2];
  static uint8_t configuration;
  switch (setup->request) {
    case GET_DESCRIPTOR: {
      const struct usb_descriptor found =
          usb_descriptor((uint8_t)(setup->value >> 8), (uint8_t)setup->value, usb.serial);
      if (found.size == 0U) {
        refuse();
      } else {
        answer(setup, found.data, found.size);
      }
      return;
    }
    case SET_ADDRESS:
      usb.address = (uint8_t)setup->value;
      done();
      return;
    case SET_CONFIGURATION:
      if (setup->value > 1U) {
        refuse();
        return;
      }
      if (setup->value == 1U) {
        configure();
      } else {
        forget();
      }
      done();
      return;
    case GET_CONFIGURATION:
      configuration = usb.configured ? 1 : 0;
      answer(setup, &configuration, 1);
      return;
    case GET_STATUS:
      answer(setup, nothing, 2);
      return;
    case GET_INTERFACE:
      answer(setup, nothing, 1);
      return;
    case CLEAR_FEATURE:
      if ((setup->type & 0x1FU) == RECIPIENT_ENDPOINT) {
        clear_halt(setup->index);
      }
      done();
      return;
    case SET_FEATURE:
    case SET_INTERFACE:
      done();
      return;
    default:
      refuse();
  }
}

static void class_request(const struct setup *setup) {
  switch (setup->request) {
    case SET_LINE_CODING:
      if (setup->length != LINE_CODING_SIZE) {
        refuse();
        return;
      }
      usb.coding_comes = true;
      expect(LINE_CODING_SIZE);
      return;
    case GET_LINE_CODING:
      answer(setup, usb.coding, sizeof usb.coding);
      return;
    case SET_CONTROL_LINE_STATE:
      if ((setup->value & LINE_STATE_READY) == 0U) {
        tx.out = tx.in; /* nobody is there to read it */
      }
      usb.ready = (setup->value & LINE_STATE_READY) != 0U;
      done();
      return;
    case SEND_BREAK:
      done();
      return;
    default:
      refuse();
  }
}

static void begin_request(void) {
  const uint32_t first = USB_MEMORY->setup[0], second = USB_MEMORY->setup[1];
  const struct setup setup = {.type = (uint8_t)first,
                              .request = (uint8_t)(first >> 8),
                              .value = (uint16_t)(first >> 16),
                              .index = (uint16_t)second,
                              .length = (uint16_t)(second >> 16)};
  usb.next_in0 = usb.next_out0 = BUFFER_DATA1;
  usb.coding_comes = usb.answer_ends_short = false;
  usb.answer = NULL;
  usb.answer_left = 0;
  if ((setup.type & REQUEST_KIND) == KIND_STANDARD) {
    standard_request(&setup);
  } else if ((setup.type & REQUEST_KIND) == KIND_CLASS) {
    class_request(&setup);
  } else {
    refuse();
  }
}

/* A packet of endpoint 0 was fetched by the host. */
static void answered(void) {
  if (usb.address != 0U) {
    USB_ADDRESS = usb.address;
    usb.address = 0;
    return;
  }
  if (usb.answer_left > 0U || usb.answer_ends_short) {
    answer_on();
  } else if (usb.answer != NULL) {
    usb.answer = NULL;
    usb.next_out0 = BUFFER_DATA1;
    expect(0);
  }
}

/* A packet came on endpoint 0: the data of a request, or the end of an answer. */
static void heard(void) {
  if (!usb.coding_comes) {
    return;
  }
  usb.coding_comes = false;
  for (uint32_t i = 0; i < LINE_CODING_SIZE; i++) {
    usb.coding[i] = memory_byte(i);
  }
  done();
}

static void receive(void) {
  const uint32_t size = USB_MEMORY->buffer[USB_DATA].out & BUFFER_LENGTH;
  for (uint32_t i = 0; i < size && i < USB_PACKET; i++) {
    ring_put(&rx, memory_byte(BUFFER_DATA_OUT + i));
  }
  usb.receiving = false;
  receive_on();
}

static void buffers(void) {
  const uint32_t finished = REGISTER(USB_BUFFER_STATUS);
  CLEAR_BITS(USB_BUFFER_STATUS) = finished;
  if ((finished & 1U << 0) != 0U) {
    answered();
  }
  if ((finished & 1U << 1) != 0U) {
    heard();
  }
  if ((finished & 1U << (2U * USB_DATA + 1U)) != 0U) {
    receive();
  }
  if ((finished & 1U << 2U * USB_DATA) != 0U) {
    usb.sending = false;
    send_on();
  }
}

void usb_handler(void) {
  const uint32_t raised = USB_INTERRUPTS;
  if ((raised & INTERRUPT_BUS_RESET) != 0U) {
    CLEAR_BITS(USB_SIE_STATUS) = SIE_BUS_RESET;
    USB_ADDRESS = 0;
    usb.address = 0;
    usb.answer = NULL;
    usb.answer_left = 0;
    forget();
  }
  if ((raised & INTERRUPT_BUFFER) != 0U) {
    buffers();
  }
  if ((raised & INTERRUPT_SETUP) != 0U) {
    CLEAR_BITS(USB_SIE_STATUS) = SIE_SETUP;
    begin_request();
  }
}

void usb_start(const char *serial) {
  usb.serial = serial;
  reset_blocks(RESETS_USBCTRL);
  for (uint32_t word = 0; word < USB_DATA_OFFSET / 4U; word++) {
    ((volatile uint32_t *)USB_MEMORY)[word] = 0;
  }
  USB_MUXING = MUXING_TO_PHY;
  USB_POWER = POWER_DETECTED;
  REGISTER(USB_SIE_CONTROL) = SIE_EP0_INTERRUPT;
  USB_MAIN = MAIN_ENABLE;
  USB_INTERRUPTS_ENABLED = INTERRUPT_BUFFER | INTERRUPT_BUS_RESET | INTERRUPT_SETUP;
  NVIC_ENABLE = 1U << USB_IRQ;
  SET_BITS(USB_SIE_CONTROL) = SIE_PULL_UP;
}

bool usb_is_open(void) {
  return usb.configured && usb.ready;
}

size_t usb_read(uint8_t *data, size_t size) {
  const size_t count = ring_take_all(&rx, data, size);
  if (count > 0U) {
    interrupts_off();
    receive_on();
    interrupts_on();
  }
  return count;
}

bool usb_write(const uint8_t *data, size_t size) {
  return ring_send(&tx, data, size, send_on);
}

size_t usb_room(void) {
  return ring_room(&tx);
}

void usb_discard(void) {
  ring_forget(&tx, 0);
  usb.full_packet = false;
}

bool usb_has_input(void) {
  return ring_count(&rx) > 0U;
}
