/* What the board tells whoever debugs it, in memory that thermo-sim shows. */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdint.h>

/* The board starts once more; `anew` where the supply started it. */
void report_start(bool anew);
/* A sleep has ended. */
void report_slept(uint64_t slept_us);
/* Bring stack and times up to date. */
void report_write(void);
/* As startup_fault has them. */
void report_fault(const uint32_t *frame, uint32_t exception);

#endif
