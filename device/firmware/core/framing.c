/* COBS frames out, SMP lines in and out. */
#include "framing.h"

#include "bytes.h"
#include "crc.h"

#define PLAIN_PER_LINE 90 /* bytes in the 120 digits that fit a line of 127 with its 4 delimiters */
#define START 0x06
#define START_2 0x09
#define CONTINUE 0x04
#define CONTINUE_2 0x14

size_t framing_encode_frame(const uint8_t *record, size_t size, uint8_t *frame, size_t capacity) {
  if (size == 0 || capacity < FRAMING_FRAME_BYTES(size)) {
    return 0;
  }
  uint8_t crc[4];
  store_le32(crc, crc32_update(0, record, size));
  frame[0] = 0;
  size_t code_at = 1;
  size_t at = 2;
  uint8_t code = 1;
  for (size_t i = 0; i < size + sizeof crc; i++) {
    uint8_t byte = i < size ? record[i] : crc[i - size];
    if (code == 0xFF) {
      frame[code_at] = code;
      code_at = at++;
      code = 1;
    }
    if (byte == 0) {
      frame[code_at] = code;
      code_at = at++;
      code = 1;
    } else {
      frame[at++] = byte;
      code++;
    }
  }
  frame[code_at] = code;
  frame[at++] = 0;
  return at;
}

void framing_begin_packet(struct framing_packet *packet, const uint8_t *message, size_t size) {
  packet->message = message;
  packet->size = size;
  packet->sent = 0;
  packet->crc = crc16_xmodem(0, message, size);
}

/* A byte of (length, message, CRC); 0 after its end. */
static uint8_t plain_byte(const struct framing_packet *packet, size_t at) {
  if (at < 2) {
    return (uint8_t)((packet->size + 2) >> (at == 0 ? 8 : 0));
  }
  if (at < packet->size + 2) {
    return packet->message[at - 2];
  }
  return at == packet->size + 2 ? (uint8_t)(packet->crc >> 8) : at == packet->size + 3 ? (uint8_t)packet->crc : 0;
}

bool framing_send_packet(struct framing_packet *packet, framing_sink sink, void *context) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t total = packet->size + 4;
  while (packet->sent < total) {
    uint8_t line[FRAMING_LINE_BYTES];
    size_t used = 0;
    line[used++] = packet->sent == 0 ? START : CONTINUE;
    line[used++] = packet->sent == 0 ? START_2 : CONTINUE_2;
    size_t end = packet->sent + PLAIN_PER_LINE < total ? packet->sent + PLAIN_PER_LINE : total;
    for (size_t at = packet->sent; at < end; at += 3) {
      uint32_t group = (uint32_t)plain_byte(packet, at) << 16 | (uint32_t)plain_byte(packet, at + 1) << 8 |
                       plain_byte(packet, at + 2);
      line[used++] = (uint8_t)digits[group >> 18];
      line[used++] = (uint8_t)digits[group >> 12 & 63];
      line[used++] = at + 1 < end ? (uint8_t)digits[group >> 6 & 63] : '=';
      line[used++] = at + 2 < end ? (uint8_t)digits[group & 63] : '=';
    }
    line[used++] = '\n';
    if (!sink(context, line, used)) {
      return false;
    }
    packet->sent = end;
  }
  return true;
}

size_t framing_packet_bytes(size_t size) {
  size_t total = size + 4;
  return (total + 2) / 3 * 4 + (total + PLAIN_PER_LINE - 1) / PLAIN_PER_LINE * 3;
}

static void refuse_packet(struct framing_receiver *receiver) {
  if (receiver->open) {
    receiver->bad_packets++;
    receiver->discarded += receiver->taken;
  }
  receiver->open = false;
  receiver->whole = 0;
}

static void begin_line(struct framing_receiver *receiver) {
  if (receiver->marker == START) {
    refuse_packet(receiver);
  }
  receiver->state = FRAMING_IN_LINE;
  receiver->malformed = false;
  receiver->digits = receiver->padding = 0;
  receiver->group = 0;
  receiver->filled = receiver->whole;
}

/* 0 to 63; 64 is the padding, 65 nothing of base64. */
static uint8_t digit_value(uint8_t byte) {
  if (byte >= 'A' && byte <= 'Z') {
    return (uint8_t)(byte - 'A');
  }
  if (byte >= 'a' && byte <= 'z') {
    return (uint8_t)(byte - 'a' + 26);
  }
  if (byte >= '0' && byte <= '9') {
    return (uint8_t)(byte - '0' + 52);
  }
  return byte == '+' ? 62 : byte == '/' ? 63 : byte == '=' ? 64 : 65;
}

static void take_digit(struct framing_receiver *receiver, uint8_t value) {
  bool padding = value == 64;
  bool ended = receiver->padding > 0 && (!padding || receiver->digits + receiver->padding == 4);
  if (receiver->malformed || ended || (padding && receiver->digits < 2)) {
    receiver->malformed = true;
    return;
  }
  if (padding) {
    receiver->padding++;
    receiver->group <<= 6;
  } else {
    receiver->digits++;
    receiver->group = receiver->group << 6 | value;
  }
  if (receiver->digits + receiver->padding < 4) {
    return;
  }
  size_t bytes = 3U - receiver->padding;
  if (receiver->filled + bytes > sizeof receiver->buffer) {
    receiver->malformed = true;
    return;
  }
  for (size_t i = 0; i < bytes; i++) {
    receiver->buffer[receiver->filled++] = (uint8_t)(receiver->group >> (16 - 8 * i));
  }
  if (receiver->padding == 0) {
    receiver->digits = 0;
    receiver->group = 0;
  }
}

/* The size of the message that this line completes, or 0. */
static size_t end_line(struct framing_receiver *receiver) {
  bool orphan = receiver->marker == CONTINUE && !receiver->open;
  bool complete = receiver->digits == 0 || receiver->digits + receiver->padding == 4;
  bool good = !orphan && !receiver->malformed && complete && receiver->filled > receiver->whole;
  receiver->state = FRAMING_BETWEEN;
  receiver->taken = (receiver->open ? receiver->taken : 0) + receiver->line_bytes;
  receiver->open = true;
  receiver->whole = receiver->filled;
  if (!good) {
    refuse_packet(receiver);
    return 0;
  }
  if (receiver->whole < 2) {
    return 0;
  }
  size_t wanted = load_be16(receiver->buffer);
  size_t held = receiver->whole - 2U;
  if (held < wanted && wanted <= FRAMING_MAX_MESSAGE + 2) {
    return 0;
  }
  size_t size = wanted - 2;
  if (wanted <= 2 || held != wanted ||
      crc16_xmodem(0, receiver->buffer + 2, size) != load_be16(receiver->buffer + 2 + size)) {
    refuse_packet(receiver);
    return 0;
  }
  receiver->packets++;
  receiver->open = false;
  receiver->whole = 0;
  return size;
}

/* What was being received is no line after all; the byte at hand may begin one. */
static void abandon_line(struct framing_receiver *receiver, uint8_t byte) {
  receiver->discarded += receiver->line_bytes;
  receiver->line_bytes = 0;
  receiver->state = FRAMING_BETWEEN;
  if (byte == START || byte == CONTINUE) {
    receiver->state = FRAMING_MARKED;
    receiver->marker = byte;
    receiver->line_bytes = 1;
  } else if (byte != 0) {
    receiver->discarded++;
  }
}

static size_t take_byte(struct framing_receiver *receiver, uint8_t byte) {
  switch (receiver->state) {
    case FRAMING_MARKED:
      if (byte == (receiver->marker == START ? START_2 : CONTINUE_2)) {
        receiver->line_bytes = 2;
        begin_line(receiver);
        return 0;
      }
      break;
    case FRAMING_IN_LINE: {
      uint8_t value = digit_value(byte);
      if (value <= 64) {
        receiver->line_bytes++;
        take_digit(receiver, value);
        return 0;
      }
      if (byte == '\r') {
        receiver->line_bytes++;
        receiver->state = FRAMING_AT_END;
        return 0;
      }
      if (byte == '\n') {
        receiver->line_bytes++;
        return end_line(receiver);
      }
      break;
    }
    case FRAMING_AT_END:
      if (byte == '\n') {
        receiver->line_bytes++;
        return end_line(receiver);
      }
      break;
    case FRAMING_BETWEEN:
    default:
      receiver->line_bytes = 0;
      break;
  }
  abandon_line(receiver, byte);
  return 0;
}

size_t framing_receive(struct framing_receiver *receiver, const uint8_t *data, size_t size, size_t *message_size) {
  size_t at = 0;
  *message_size = 0;
  while (at < size && *message_size == 0) {
    *message_size = take_byte(receiver, data[at++]);
  }
  return at;
}
