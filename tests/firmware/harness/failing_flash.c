/* It insists on what flash demands of its users: no unit is programmed twice, and none outside a block. */
#include "failing_flash.h"

#include <stdlib.h>
#include <string.h>

#include "nor_flash.h"

static struct {
  uint8_t bytes[FLASH_MAX_BYTES];
  struct nor_flash nor;
  struct flash flash; /* of it */
  struct board board;
  long operations;
  long cut_after;
  enum flash_cut cut;
  uint32_t random;
  size_t worn_block;
} self;

static uint8_t next_random(void) {
  self.random = self.random * 1664525U + 1013904223U;
  return (uint8_t)(self.random >> 24);
}

static void demand(bool condition) {
  if (!condition) {
    abort();
  }
}

/* Works while there is power; the operation in which it fails leaves `wanted` in part. */
static enum nor_flash_outcome ask(void *context, uint8_t *at, const uint8_t *wanted, size_t size) {
  (void)context;
  const bool worn = wanted != NULL && (size_t)(at - self.bytes) / self.nor.block_size == self.worn_block;
  for (size_t i = 0; wanted != NULL && !worn && i < size; i++) {
    demand(at[i] == 0xFF);
  }
  const long operation = self.operations++;
  if (self.cut_after < 0 || operation < self.cut_after) {
    return worn ? NOR_FLASH_WORN : NOR_FLASH_WORKS;
  }
  for (size_t i = 0; operation == self.cut_after && i < size; i++) {
    const uint8_t noise = next_random();
    const uint8_t to = wanted == NULL ? 0xFF : wanted[i];
    if (self.cut == CUT_AFTER) {
      at[i] = to;
    } else if (self.cut == CUT_PARTLY) {
      at[i] = (uint8_t)((at[i] & noise) | (to & ~noise));
    } else if (self.cut == CUT_GARBAGE) {
      at[i] = noise;
    }
  }
  return NOR_FLASH_FAILS;
}

/* An operation that flash does not have is a fault of whoever asks for it. */

static enum status read_one(void *context, size_t block, size_t offset, void *buffer, size_t size) {
  const enum status status = self.flash.read(context, block, offset, buffer, size);
  demand(status == STATUS_OK);
  return status;
}

static enum status program_one(void *context, size_t block, size_t offset, const void *data, size_t size) {
  const enum status status = self.flash.program(context, block, offset, data, size);
  demand(status != STATUS_ARGUMENT);
  return status;
}

static enum status erase_one(void *context, size_t block) {
  const enum status status = self.flash.erase(context, block);
  demand(status != STATUS_ARGUMENT);
  return status;
}

const struct board *flash_board(size_t block_size, size_t blocks, size_t read_size, size_t prog_size) {
  demand(block_size * blocks <= FLASH_MAX_BYTES);
  memset(&self.board, 0, sizeof self.board);
  memset(self.bytes, 0xFF, sizeof self.bytes);
  self.nor = (struct nor_flash){.bytes = self.bytes,
                                .read_size = read_size,
                                .prog_size = prog_size,
                                .block_size = block_size,
                                .block_count = blocks,
                                .ask = ask};
  self.flash = nor_flash(&self.nor);
  self.board.name = "thermo-edge bench";
  self.board.platform = "test bench";
  self.board.serial = "bench-1";
  self.board.flash = self.flash;
  self.board.flash.read = read_one;
  self.board.flash.program = program_one;
  self.board.flash.erase = erase_one;
  self.worn_block = SIZE_MAX;
  flash_cut_after(-1, CUT_BEFORE, 0);
  return &self.board;
}

void flash_cut_after(long operations, enum flash_cut cut, uint32_t seed) {
  self.operations = 0;
  self.cut_after = operations;
  self.cut = cut;
  self.random = seed;
}

long flash_operations(void) {
  return self.operations;
}

void flash_wear_out(size_t block) {
  self.worn_block = block;
}

uint8_t *flash_bytes(void) {
  return self.bytes;
}
