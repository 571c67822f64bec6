/* UART 0, the serial line of a host that does not use USB: interrupts move bytes between it and two rings. There is
   one. */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void uart_start(void);
size_t uart_read(uint8_t *data, size_t size);
/* All of it or nothing. */
bool uart_write(const uint8_t *data, size_t size);
size_t uart_room(void);
uint32_t uart_overruns(void);
void uart_discard(void);
bool uart_has_input(void);

void uart_handler(void);

#endif
