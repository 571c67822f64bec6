/* From a board that has just started to its bootloader, and from that to the firmware. */
#include "chip.h"
#include "clock.h"
#include "line.h"
#include "loader.h"
#include "processor.h"
#include "startup.h"
#include "update_slots.h"

int main(void);

/* What was started is silent again, but for the watchdog. */
static void start(uint32_t vectors) {
  interrupts_off();
  line_stop();
  clock_stop();
  startup_leave_for(vectors);
}

int main(void) {
  static struct board board;
  board.reset_cause = startup_peek_cause();
  chip_common(&board);
  chip_start(&board);
  interrupts_on();
  loader_run(&board, update_slots(), start);
}
