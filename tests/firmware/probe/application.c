/* A tiny application that lets tests try everything a board offers. A command
   is one line; its answer is one line.

   echo TEXT | cause | time | read ADDRESS REGISTER COUNT | recover | erase PAGE
   | program OFFSET BYTE peek OFFSET | sleep MS | hang | fault | overflow |
   reset | stack | fill COUNT | serial */
#include "application.h"

#include <string.h>

const uint32_t application_i2c_hz = 400000;

static const struct board *board;
static char answer[4200];
static size_t length;

static void text(const char *words) {
  const size_t size = strlen(words);
  memcpy(answer + length, words, size);
  length += size;
}

static void number(uint64_t value) {
  char digits[21];
  size_t at = sizeof digits;
  digits[--at] = '\0';
  do {
    digits[--at] = (char)('0' + value % 10U);
    value /= 10U;
  } while (value != 0U);
  text(digits + at);
}

static void hexadecimal(const uint8_t *data, size_t size) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < size; i++) {
    answer[length++] = digits[data[i] >> 4];
    answer[length++] = digits[data[i] & 15U];
  }
}

static void send(const char *data, size_t size) {
  while (!board->serial_write(board->context, (const uint8_t *)data, size)) {
    board->watchdog_feed(board->context);
    board->wait_until_us(board->context, board->now_us(board->context) + 1000U);
  }
}

/* The next word of a line, "" at its end. */
static const char *next_word(char **line) {
  char *word = *line;
  char *end = word;
  while (*end != '\0' && *end != ' ') {
    end++;
  }
  *line = *end == '\0' ? end : end + 1;
  *end = '\0';
  return word;
}

static uint32_t to_number(const char *word) {
  uint32_t value = 0;
  for (; *word >= '0' && *word <= '9'; word++) {
    value = value * 10U + (uint32_t)(*word - '0');
  }
  return value;
}

static unsigned dive(volatile unsigned char *before, unsigned depth) {
  volatile unsigned char here[512];
  here[depth % sizeof here] = (unsigned char)(before[0] + depth);
  const unsigned below = depth < 100000U ? dive(here, depth + 1U) : 0U;
  return below + here[depth % sizeof here];
}

static void obey(char *line) {
  static uint8_t data[2048];
  const char *word = next_word(&line);
  const size_t size = board->flash.block_size;
  uint32_t argument[3] = {0};
  length = 0;
  if (strcmp(word, "echo") == 0) {
    text(next_word(&line));
  } else {
    for (size_t i = 0; i < 3; i++) {
      argument[i] = to_number(next_word(&line));
    }
    if (strcmp(word, "cause") == 0) {
      number((uint64_t)board->reset_cause);
    } else if (strcmp(word, "time") == 0) {
      number(board->now_us(board->context));
    } else if (strcmp(word, "read") == 0) {
      const uint8_t where[2] = {(uint8_t)(argument[1] >> 8), (uint8_t)argument[1]};
      const uint64_t began_us = board->now_us(board->context);
      const enum status status = board->i2c_transfer(board->context, (uint8_t)argument[0], where, 2, data, argument[2]);
      const uint64_t took_us = board->now_us(board->context) - began_us;
      number((uint64_t)status);
      text(" ");
      number(took_us);
      text(" ");
      hexadecimal(data, status == STATUS_OK ? argument[2] : 0U);
    } else if (strcmp(word, "recover") == 0) {
      board->i2c_recover(board->context);
      text("recovered");
    } else if (strcmp(word, "erase") == 0) {
      number((uint64_t)board->flash.erase(board->flash.context, argument[0]));
    } else if (strcmp(word, "program") == 0) {
      memset(data, (int)argument[1], 8);
      number((uint64_t)board->flash.program(board->flash.context, argument[0] / size, argument[0] % size, data, 8));
    } else if (strcmp(word, "peek") == 0) {
      board->flash.read(board->flash.context, argument[0] / size, argument[0] % size, data, 8);
      hexadecimal(data, 8);
    } else if (strcmp(word, "sleep") == 0) {
      const uint64_t until_us = board->now_us(board->context) + argument[0] * 1000U;
      uint64_t wakes = 0;
      for (; board->now_us(board->context) < until_us; wakes++) {
        board->wait_until_us(board->context, until_us);
        board->watchdog_feed(board->context);
      }
      number(board->now_us(board->context) - until_us);
      text(" ");
      number(wakes);
    } else if (strcmp(word, "hang") == 0) {
      for (volatile bool forever = true; forever;) {
      }
    } else if (strcmp(word, "fault") == 0) {
      *(volatile uint32_t *)(uintptr_t)0xF0000000U = 1U;
    } else if (strcmp(word, "overflow") == 0) {
      data[0] = 0;
      number(dive(data, 0));
    } else if (strcmp(word, "reset") == 0) {
      board->reset(board->context);
    } else if (strcmp(word, "stack") == 0) {
      number(board->stack_used(board->context));
    } else if (strcmp(word, "serial") == 0) {
      text(board->serial);
    } else if (strcmp(word, "fill") == 0) {
      memset(data, 'x', 64);
      for (uint32_t i = 0; i < argument[0]; i++) {
        send((const char *)data, 64);
      }
      text("filled");
    } else {
      text("?");
    }
  }
  text("\n");
  send(answer, length);
}

_Noreturn void application(const struct board *the_board) {
  static char line[1024];
  size_t size = 0;
  board = the_board;
  for (;;) {
    uint8_t byte;
    board->watchdog_feed(board->context);
    if (board->serial_read(board->context, &byte, 1) == 0) {
      board->wait_until_us(board->context, board->now_us(board->context) + 1000000U);
    } else if (byte == '\n') {
      line[size] = '\0';
      size = 0;
      obey(line);
    } else if (size < sizeof line - 1U) {
      line[size++] = (char)byte;
    }
  }
}
