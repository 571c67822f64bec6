/* The I2C bus of the wearable's chips. There is one. */
#ifndef I2C_H
#define I2C_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

/* `hz`: clock of the bus, 10 kHz to 1 MHz. */
void i2c_start(uint32_t hz);
/* As struct board has them. */
enum status i2c_transfer(void *context, uint8_t address, const uint8_t *write, size_t write_size, uint8_t *read,
                         size_t read_size);
void i2c_recover(void *context);

void i2c_handler(void);

#endif
