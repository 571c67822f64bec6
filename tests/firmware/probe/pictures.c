/* An application that reads an MLX90640's EEPROM and pages over the board's bus, decodes them with the core, and says
   all of it in hexadecimal. labwired's chip has an EEPROM that no device could have (all pixels alike, no number,
   scales of 0), so whether words are plausible is not asked here.

   "eeprom WORDS", then for each page "page NUMBER CONTROL STATUS WORDS CELSIUS VALID", numbers as the chip's and this
   processor's bytes. */
#include "application.h"

#include <string.h>

#include "mlx90640_plausible.h"

static enum status any_eeprom(const uint16_t eeprom[MLX90640_EEPROM_WORDS], struct mlx90640_plausibility *found) {
  (void)eeprom;
  *found = (struct mlx90640_plausibility){0};
  return STATUS_OK;
}
#define mlx90640_check any_eeprom
#include "mlx90640_constants.c"
#undef mlx90640_check

#include "mlx90640_decode.h"

const uint32_t application_i2c_hz = 400000;

#define CAMERA 0x33U
#define EEPROM 0x2400U
#define RAM 0x0400U
#define STATUS_REGISTER 0x8000U
#define CONTROL 0x800DU
#define NEW_DATA 8U
#define PAGES 2U

static void say(const struct board *board, const char *text, size_t size) {
  while (!board->serial_write(board->context, (const uint8_t *)text, size)) {
    board->watchdog_feed(board->context);
    board->wait_until_us(board->context, board->now_us(board->context) + 1000U);
  }
}

static void say_bytes(const struct board *board, const void *data, size_t size) {
  const uint8_t *bytes = data;
  for (size_t i = 0; i < size; i++) {
    const char digits[2] = {"0123456789abcdef"[bytes[i] >> 4], "0123456789abcdef"[bytes[i] & 15U]};
    say(board, digits, sizeof digits);
  }
  say(board, " ", 1);
}

static enum status read_words(const struct board *board, uint32_t at, uint16_t *words, size_t count) {
  const uint8_t pointer[2] = {(uint8_t)(at >> 8), (uint8_t)at};
  const enum status status = board->i2c_transfer(board->context, CAMERA, pointer, 2, (uint8_t *)words, 2U * count);
  for (size_t i = 0; i < count; i++) {
    words[i] = (uint16_t)(words[i] >> 8 | words[i] << 8);
  }
  return status;
}

_Noreturn void application(const struct board *board) {
  static uint16_t eeprom[MLX90640_EEPROM_WORDS], ram[RAM_WORDS];
  static struct mlx90640_constants constants;
  static float celsius[PIXELS];
  const struct mlx90640_optics optics = {.emissivity = 1.0F, .reflected_celsius = 25.0F};
  enum status status = read_words(board, EEPROM, eeprom, MLX90640_EEPROM_WORDS);
  say(board, "eeprom ", 7);
  say_bytes(board, eeprom, sizeof eeprom);
  say(board, "\n", 1);
  status = status == STATUS_OK ? mlx90640_extract(eeprom, &constants) : status;
  for (unsigned i = 0; i < PAGES; i++) {
    static const uint8_t clear[4] = {0x80, 0x00, 0x00, 0x30};
    uint16_t control = 0;
    uint16_t shown = 0;
    struct mlx90640_conditions conditions;
    uint32_t valid[ROWS] = {0};
    memset(celsius, 0, sizeof celsius);
    status = status == STATUS_OK ? board->i2c_transfer(board->context, CAMERA, clear, 4, NULL, 0) : status;
    while (status == STATUS_OK && (shown & NEW_DATA) == 0U) {
      board->watchdog_feed(board->context);
      status = read_words(board, STATUS_REGISTER, &shown, 1);
    }
    status = status == STATUS_OK ? read_words(board, RAM, ram, RAM_WORDS) : status;
    status = status == STATUS_OK ? read_words(board, CONTROL, &control, 1) : status;
    if (status == STATUS_OK) {
      status = mlx90640_read_conditions(&constants, ram, control, (uint8_t)(shown & 7U), &conditions);
    }
    if (status == STATUS_OK) {
      status = mlx90640_decode(&constants, &optics, ram, &conditions, celsius, valid);
    }
    shown &= 7U;
    const uint8_t byte = (uint8_t)status;
    say(board, "page ", 5);
    say_bytes(board, &shown, sizeof shown);
    say_bytes(board, &control, sizeof control);
    say_bytes(board, &byte, 1);
    say_bytes(board, ram, sizeof ram);
    say_bytes(board, celsius, sizeof celsius);
    say_bytes(board, valid, sizeof valid);
    say(board, "\n", 1);
  }
  for (;;) {
    board->watchdog_feed(board->context);
    board->wait_until_us(board->context, board->now_us(board->context) + 1000000U);
  }
}
