/* The interrupt of UART 0, which is the serial line. */
#ifndef UART_H
#define UART_H

void uart_handler(void);

#endif
