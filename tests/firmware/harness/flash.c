/* The model of flash for tests of the calibration store. It insists on what flash demands of its users. */
#include "flash.h"

#include <stdlib.h>
#include <string.h>

static struct {
  uint8_t bytes[FLASH_MAX_BYTES];
  struct board board;
  long operations;
  long cut_after;
  enum flash_cut cut;
  uint32_t random;
  size_t worn_page;
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

/* Whether power is there for one more operation; the one in which it fails leaves `wanted` in part. */
static bool has_power(uint8_t *at, const uint8_t *wanted, size_t size) {
  long operation = self.operations++;
  if (self.cut_after < 0 || operation < self.cut_after) {
    return true;
  }
  for (size_t i = 0; operation == self.cut_after && i < size; i++) {
    uint8_t noise = next_random();
    if (self.cut == CUT_AFTER) {
      at[i] = wanted[i];
    } else if (self.cut == CUT_PARTLY) {
      at[i] = (uint8_t)((at[i] & noise) | (wanted[i] & ~noise));
    } else if (self.cut == CUT_GARBAGE) {
      at[i] = noise;
    }
  }
  return false;
}

static enum status erase(size_t page) {
  static uint8_t erased[FLASH_MAX_BYTES];
  size_t size = self.board.flash_page_size;
  demand(page < self.board.flash_pages);
  memset(erased, 0xFF, size);
  if (!has_power(self.bytes + page * size, erased, size)) {
    return STATUS_STORAGE;
  }
  memcpy(self.bytes + page * size, erased, size);
  return STATUS_OK;
}

static enum status program(size_t offset, const uint8_t *data, size_t size) {
  size_t whole = self.board.flash_page_size * self.board.flash_pages;
  demand(offset % FLASH_WORD == 0 && size % FLASH_WORD == 0 && offset <= whole && size <= whole - offset);
  for (size_t at = 0; at < size; at += FLASH_WORD) {
    uint8_t word[FLASH_WORD];
    uint8_t *target = self.bytes + offset + at;
    for (size_t i = 0; i < FLASH_WORD; i++) {
      demand(target[i] == 0xFF || (offset + at) / self.board.flash_page_size == self.worn_page);
      word[i] = target[i] & data[at + i];
    }
    if (!has_power(target, word, FLASH_WORD)) {
      return STATUS_STORAGE;
    }
    if ((offset + at) / self.board.flash_page_size != self.worn_page) {
      memcpy(target, word, FLASH_WORD);
    }
  }
  return STATUS_OK;
}

const struct board *flash_board(size_t page_size, size_t pages) {
  demand(page_size * pages <= FLASH_MAX_BYTES);
  memset(&self.board, 0, sizeof self.board);
  memset(self.bytes, 0xFF, sizeof self.bytes);
  self.board.name = "thermo-edge bench";
  self.board.platform = "test bench";
  self.board.serial = "bench-1";
  self.board.flash = self.bytes;
  self.board.flash_page_size = page_size;
  self.board.flash_pages = pages;
  self.board.flash_erase = erase;
  self.board.flash_program = program;
  self.worn_page = SIZE_MAX;
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

void flash_wear_out(size_t page) {
  self.worn_page = page;
}

uint8_t *flash_bytes(void) {
  return self.bytes;
}
