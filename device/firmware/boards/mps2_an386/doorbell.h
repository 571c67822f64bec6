/* UART 1, whose bytes say nothing but "look into the mailbox". There is one, so a port's context is NULL. */
#ifndef DOORBELL_H
#define DOORBELL_H

#include <stdint.h>

void doorbell_start(void);
void doorbell_ring(void *context);
/* Sleep until it rings or until that time. */
void doorbell_wait_until_us(void *context, uint64_t time_us);

void doorbell_handler(void);

#endif
