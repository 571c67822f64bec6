#include "report.h"

#include <stddef.h>

#include "clock.h"
#include "memory.h"
#include "processor.h"
#include "startup.h"

#define FRAME_LR 5
#define FRAME_PC 6

static uint64_t slept_us;

void report_start(bool anew) {
  if (anew) {
    SHARED->report = (struct board_report){0};
  }
  SHARED->report.starts++;
}

void report_slept(uint64_t us) {
  slept_us += us;
}

void report_write(void) {
  SHARED->report.stack_used = (uint32_t)startup_stack_used(NULL);
  SHARED->report.slept_us = slept_us;
  SHARED->report.now_us = clock_now_us(NULL);
}

void report_fault(const uint32_t *frame, uint32_t exception) {
  struct board_report *report = &SHARED->report;
  report->faults++;
  report->exception = exception;
  report->cfsr = SCB_CFSR;
  report->lr = frame != NULL ? frame[FRAME_LR] : 0;
  report->pc = frame != NULL ? frame[FRAME_PC] : 0;
}
