#include "listener.h"

#include <string.h>

#define AFTER_A_MESSAGE_US 60000000U
#define NAP_US 10000U
#define LINE_NAP_US 500U
#define LINE_PATIENCE_US 1000000U
#define HEARD_AT_ONCE 64U

static uint64_t now_us(void *context) {
  const struct listener *r = context;
  return board_now_us(r->board);
}

static void want_reset(void *context) {
  struct listener *r = context;
  r->reset_wanted = true;
}

void listener_open(struct listener *r, const struct board *board, struct slots *slots) {
  memset(r, 0, sizeof *r);
  r->board = board;
  r->os = (struct smp_os){.reset = want_reset, .context = r};
  r->images = (struct slot_group){.images = {slots}, .count = 1, .board = board};
  r->groups[0] = smp_os_basic_group(&r->os);
  r->groups[1] = slot_group_commands(&r->images);
  smp_begin(&r->server, r->groups, slots != NULL ? LISTENER_GROUPS : 1, now_us, NULL, r);
}

static void wait(const struct board *board, uint64_t nap_us) {
  board_watchdog_feed(board);
  board_wait_until_us(board, board_now_us(board) + nap_us);
}

/* Hand a line to the board, which has room for it once it has sent others. */
static bool sink(void *context, const uint8_t *data, size_t size) {
  const struct board *board = context;
  const uint64_t until_us = board_now_us(board) + LINE_PATIENCE_US;
  bool sent = board_serial_write(board, data, size);
  while (!sent && board_now_us(board) < until_us) {
    wait(board, LINE_NAP_US);
    sent = board_serial_write(board, data, size);
  }
  return sent;
}

static void answer(struct listener *r, uint8_t *message, size_t size) {
  struct framing_packet packet;
  const size_t answered = smp_answer_message(&r->server, message, size, r->answer, sizeof r->answer);
  if (answered > 0) {
    framing_begin_packet(&packet, r->answer, answered);
    (void)framing_send_packet(&packet, sink, (void *)(uintptr_t)r->board);
  }
}

/* Take what came; whether a message was among it. */
static bool hear(struct listener *r) {
  uint8_t heard[HEARD_AT_ONCE];
  const size_t count = board_serial_read(r->board, heard, sizeof heard);
  bool message = false;
  for (size_t at = 0; at < count && !r->reset_wanted;) {
    size_t size;
    at += framing_receive(&r->receiver, heard + at, count - at, &size);
    if (size > 0) {
      answer(r, framing_message(&r->receiver), size);
      message = true;
    }
  }
  return message;
}

/* Let the answer out before the reset. */
static _Noreturn void reset(const struct listener *r) {
  const uint64_t until_us = board_now_us(r->board) + LINE_PATIENCE_US;
  size_t room = board_serial_room(r->board);
  size_t before = 0;
  while (room != before && board_now_us(r->board) < until_us) {
    before = room;
    wait(r->board, NAP_US);
    room = board_serial_room(r->board);
  }
  board_reset(r->board);
  for (;;) {
  }
}

bool listener_listen(struct listener *r, uint64_t patience_us) {
  const bool for_ever = patience_us == LISTENER_FOR_EVER;
  uint64_t until_us = for_ever ? patience_us : board_now_us(r->board) + patience_us;
  bool came = false;
  while (board_now_us(r->board) < until_us) {
    if (hear(r)) {
      came = true;
      until_us = for_ever ? until_us : board_now_us(r->board) + AFTER_A_MESSAGE_US;
    } else {
      wait(r->board, NAP_US);
    }
    if (r->reset_wanted) {
      reset(r);
    }
  }
  return came;
}
