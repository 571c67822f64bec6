/* What a function that can fail returns. Each value names a cause; the sentence for people is made where it is
 * reported. */
#ifndef STATUS_H
#define STATUS_H

enum status {
  STATUS_OK = 0,
  STATUS_NACK,          /* no chip acknowledged */
  STATUS_STUCK,         /* the bus was held low, or the transfer timed out */
  STATUS_SHORT,         /* a read ended early */
  STATUS_BUS,           /* another fault of the I2C controller */
  STATUS_BAD_EEPROM,    /* constants no healthy sensor holds */
  STATUS_BAD_PIXELS,    /* more broken pixels than the datasheet allows, or two that touch */
  STATUS_BAD_AUXILIARY, /* an auxiliary word was not measured or cannot be right */
  STATUS_UNDECODABLE,   /* no pixel gives a temperature */
  STATUS_DAMAGED,       /* a CRC or a structure does not hold */
  STATUS_WRONG_SENSOR,  /* it belongs to another sensor */
  STATUS_STORAGE,       /* flash does not keep what was written */
  STATUS_FULL,          /* it does not fit the buffer */
  STATUS_EMPTY,         /* there is nothing */
  STATUS_ARGUMENT,      /* the caller asked for the impossible */
  STATUS_RESET,         /* a chip is at its power-on defaults */
  STATUS_WRONG_CHIP,    /* a chip of another kind answers */
};

#endif
