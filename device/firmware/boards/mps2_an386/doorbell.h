/* UART 1, whose bytes say nothing but "look into the mailbox". */
#ifndef DOORBELL_H
#define DOORBELL_H

#include <stdint.h>

void doorbell_start(void);
void doorbell_ring(void);
/* Sleep until it rings or until that time. */
void doorbell_wait_until_us(uint64_t time_us);

void doorbell_handler(void);

#endif
