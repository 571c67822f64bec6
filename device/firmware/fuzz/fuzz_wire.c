/* libFuzzer: bytes as a serial line delivers them, in any pieces; and the same bytes as a record and as a message to be
   sent. */
#include <stdlib.h>
#include <string.h>

#include "framing.h"

#define MAX_RECORD 2048

struct line {
  uint8_t bytes[2 * FRAMING_MAX_MESSAGE];
  size_t used;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
  if (!condition) {
    abort();
  }
}

static bool collect(void *context, const uint8_t *data, size_t size) {
  struct line *line = context;
  require(size <= FRAMING_LINE_BYTES && size <= sizeof line->bytes - line->used);
  memcpy(line->bytes + line->used, data, size);
  line->used += size;
  return true;
}

/* What a receiver makes of the bytes, in pieces of `piece`: a sum over all messages. */
static uint32_t receive(struct framing_receiver *receiver, const uint8_t *data, size_t size, size_t piece) {
  uint32_t sum = 0;
  memset(receiver, 0, sizeof *receiver);
  for (size_t at = 0; at < size;) {
    size_t message_size;
    size_t given = size - at < piece ? size - at : piece;
    size_t taken = framing_receive(receiver, data + at, given, &message_size);
    require(taken > 0 && taken <= given && message_size <= FRAMING_MAX_MESSAGE);
    for (size_t i = 0; i < message_size; i++) {
      sum = sum * 31 + framing_message(receiver)[i] + 1;
    }
    at += taken;
  }
  return sum;
}

static void check_pieces(const uint8_t *data, size_t size) {
  static struct framing_receiver whole, pieces;
  uint32_t sum = receive(&whole, data, size, size);
  require(sum == receive(&pieces, data, size, 1 + data[0] % 64U));
  require(whole.packets == pieces.packets && whole.bad_packets == pieces.bad_packets);
  require(whole.discarded == pieces.discarded && whole.discarded <= size);
}

/* A message that was sent is received as it was, whatever came before it. */
static void check_message(const uint8_t *data, size_t size) {
  static struct framing_receiver receiver;
  static struct line line;
  struct framing_packet packet;
  receive(&receiver, data, size, size);
  line.used = 0;
  framing_begin_packet(&packet, data, size);
  require(framing_send_packet(&packet, collect, &line));
  require(line.used == framing_packet_bytes(size));
  size_t at = 0;
  size_t message_size = 0;
  const uint8_t end[] = "\n";
  framing_receive(&receiver, end, 1, &message_size);
  while (at < line.used) {
    at += framing_receive(&receiver, line.bytes + at, line.used - at, &message_size);
  }
  require(message_size == size && memcmp(framing_message(&receiver), data, size) == 0);
}

/* The frame of a record gives the record back and has its zeros at the ends alone. */
static void check_frame(const uint8_t *data, size_t size) {
  static uint8_t frame[FRAMING_FRAME_BYTES(MAX_RECORD)];
  static uint8_t plain[sizeof frame];
  size_t used = framing_encode_frame(data, size, frame, sizeof frame);
  require(used >= size + 7 && used <= FRAMING_FRAME_BYTES(size));
  require(frame[0] == 0 && frame[used - 1] == 0 && memchr(frame + 1, 0, used - 2) == NULL);
  size_t length = 0;
  for (size_t at = 1; at < used - 1;) {
    size_t code = frame[at];
    require(at + code <= used - 1);
    memcpy(plain + length, frame + at + 1, code - 1);
    length += code - 1;
    at += code;
    if (code < 0xFF && at < used - 1) {
      plain[length++] = 0;
    }
  }
  require(length == size + 4 && memcmp(plain, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 0) {
    check_pieces(data, size);
    if (size <= FRAMING_MAX_MESSAGE) {
      check_message(data, size);
    }
    if (size <= MAX_RECORD) {
      check_frame(data, size);
    }
  }
  return 0;
}
