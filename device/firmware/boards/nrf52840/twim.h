/* TWIM 0, the I2C bus of the sensors, as fast as all of them bear, at most 390 kHz. There is one, so a board's context
 * is NULL. */
#ifndef TWIM_H
#define TWIM_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

void twim_start(void);
/* As `i2c_transfer` of struct board. */
enum status twim_transfer(void *context, uint8_t address, const uint8_t *write, size_t write_size, uint8_t *read,
                          size_t read_size);
/* Nine clocks and a STOP. */
void twim_recover(void *context);

void twim_handler(void);

#endif
