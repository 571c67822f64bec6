/* I2C transactions with one chip, each tried several times; every failure is counted. */
#ifndef BUS_H
#define BUS_H

#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "counters.h"
#include "multiplexer.h"
#include "status.h"

struct bus {
  const struct board *board;
  struct counters *counters;
  struct switchboard *switchboard; /* NULL where the bus has no multiplexers */
  const struct way *way;           /* NULL where the chip is on the bus itself */
  uint8_t address;
  uint8_t attempts; /* of one transaction before it fails */
};

/* Read `count` words, big-endian on the bus, from a register whose address has `pointer_size` bytes (1 or 2), in one
   combined transaction: a chip's pointer does not survive between transactions. */
enum status bus_read_words(const struct bus *bus, uint16_t pointer, size_t pointer_size, uint16_t *words, size_t count);

/* One combined transaction: write, then read; either part may be empty. */
enum status bus_transfer(const struct bus *bus, const uint8_t *write, size_t write_size, uint8_t *read,
                         size_t read_size);

/* Write one word to such a register. */
enum status bus_write_word(const struct bus *bus, uint16_t pointer, size_t pointer_size, uint16_t word);

/* Wait while a chip does something; at most some milliseconds. */
void bus_pause(const struct bus *bus, uint32_t pause_us);

/* What a status of a transaction means for whoever has to repair it: one sentence. */
const char *bus_sentence(enum status status);

#endif
