/* From a board that has just started to the firmware. */
#include "application.h"
#include "chip.h"
#include "processor.h"
#include "startup.h"

int main(void);

int main(void) {
  static struct board board;
  board.reset_cause = startup_reset_cause();
  chip_common(&board);
  chip_start(&board);
  chip_start_sensors(&board);
  interrupts_on();
  application(&board);
}
