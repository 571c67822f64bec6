/* The two framings of the serial line: COBS frames for telemetry, out only, and lines of base64 for SMP, both ways. */
#ifndef FRAMING_H
#define FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMING_MAX_MESSAGE (2048 + 64) /* longest SMP message taken */
#define FRAMING_LINE_BYTES 127          /* longest line sent, delimiters included */
/* Longest frame of a record of `size` bytes. */
#define FRAMING_FRAME_BYTES(size) ((size) + 4 + ((size) + 4) / 254 + 1 + 2)

/* 00, COBS of the record and its CRC-32, 00. Returns the frame's length, 0 where it does not fit or `size` is 0. The
   buffers must not overlap. */
size_t framing_encode_frame(const uint8_t *record, size_t size, uint8_t *frame, size_t capacity);

/* Takes all of the bytes, or none and returns false. */
typedef bool (*framing_sink)(void *context, const uint8_t *data, size_t size);

/* An SMP message on its way out. Nothing else may be sent between its lines. */
struct framing_packet {
  const uint8_t *message; /* must stay until the last line is sent */
  size_t size;
  size_t sent; /* of length, message and CRC */
  uint16_t crc;
};

/* `size` at most 65533. */
void framing_begin_packet(struct framing_packet *packet, const uint8_t *message, size_t size);
/* Give line after line to `sink`, each in one call. False where it refused one; call again to go on from there. */
bool framing_send_packet(struct framing_packet *packet, framing_sink sink, void *context);
/* Bytes of all lines of a message of `size` bytes. */
size_t framing_packet_bytes(size_t size);

enum framing_state { FRAMING_BETWEEN, FRAMING_MARKED, FRAMING_IN_LINE, FRAMING_AT_END };

/* Finds SMP messages in whatever arrives. Zero-initialised is ready. */
struct framing_receiver {
  uint32_t packets;     /* SMP messages whose CRC held */
  uint32_t bad_packets; /* begun and then found damaged, or continued without a beginning */
  uint32_t discarded;   /* bytes of those, and of anything else that was in no packet; zero bytes are not counted */
  enum framing_state state;
  uint8_t marker;      /* first byte of the line */
  bool open;           /* a packet was begun */
  bool malformed;      /* the line is no base64, or does not fit the buffer */
  uint32_t line_bytes; /* of the line so far */
  uint32_t taken;      /* bytes of the packet's lines so far */
  uint32_t group;      /* base64 digits not yet decoded */
  uint8_t digits;      /* how many these are */
  uint8_t padding;     /* equals signs after them */
  uint16_t whole;      /* decoded bytes of the packet's complete lines in `buffer` */
  uint16_t filled;     /* the same with the line that is being received */
  uint8_t buffer[2 + FRAMING_MAX_MESSAGE + 2];
};

/* Take received bytes up to the end of the first message in them. Returns how many were taken; where it is not all of
   them, call again with the rest. `*message_size` is the size of a message that is complete, or 0 where none is. The
   message lies at framing_message() until the next call. */
size_t framing_receive(struct framing_receiver *receiver, const uint8_t *data, size_t size, size_t *message_size);

/* Where the message just received lies; the caller may change it. */
static inline uint8_t *framing_message(struct framing_receiver *receiver) {
  return receiver->buffer + 2;
}

#endif
