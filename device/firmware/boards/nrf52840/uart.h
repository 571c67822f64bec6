/* UARTE 0, the serial line to the host, at 1 Mbaud. There is one, so a board's context is NULL. */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void uart_start(void);
/* No DMA and no interrupt of it any more. */
void uart_stop(void);
size_t uart_read(void *context, uint8_t *data, size_t size);
bool uart_write(void *context, const uint8_t *data, size_t size);
size_t uart_room(void *context);
uint32_t uart_overruns(void *context);
void uart_discard(void *context);
bool uart_has_input(void);

void uart_handler(void);

#endif
