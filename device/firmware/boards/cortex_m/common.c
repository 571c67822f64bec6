#include "chip.h"
#include "clock.h"
#include "line.h"
#include "startup.h"
#include "watchdog.h"

static void wait_until_us(void *context, uint64_t time_us) {
  (void)context;
  clock_sleep_until_us(time_us, line_has_input);
}

void chip_common(struct board *board) {
  board->now_us = clock_now_us;
  board->wait_until_us = wait_until_us;
  board->serial_read = line_read;
  board->serial_write = line_write;
  board->serial_room = line_room;
  board->serial_overruns = line_overruns;
  board->serial_discard = line_discard;
  board->watchdog_feed = watchdog_feed;
  board->reset = startup_reset;
  board->stack_used = startup_stack_used;
}
