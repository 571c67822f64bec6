/* Reads and writes of the MLX90640's registers, confirmed by reading again. */
#include "mlx90640_chip.h"

#include <string.h>

#define ATTEMPTS 4
#define CONFIRMATIONS 3
/* With more doubtful words than this the page is read again. */
#define MOST_SINGLE_REREADS 8
#define POINTER_SIZE 2
#define CHUNK_WORDS 32U

static enum status read_words(const struct mlx90640_chip *chip, uint32_t address, uint16_t *words, size_t count) {
  return bus_read_words(&chip->bus, (uint16_t)address, POINTER_SIZE, words, count);
}

void mlx90640_chip_init(struct mlx90640_chip *chip, const struct board *board, struct counters *counters,
                        uint8_t address, bool chess) {
  *chip =
      (struct mlx90640_chip){.bus = {.board = board, .counters = counters, .address = address, .attempts = ATTEMPTS},
                             .look_us = 250,
                             .chess = chess};
}

enum status mlx90640_chip_look(struct mlx90640_chip *chip, uint8_t *subpage, bool *new_data, uint64_t *time_us) {
  const struct board *board = chip->bus.board;
  for (unsigned i = 0; i < CONFIRMATIONS; i++) {
    uint16_t word;
    const uint64_t began_us = board_now_us(board);
    const enum status status = read_words(chip, MLX90640_STATUS, &word, 1);
    if (status != STATUS_OK) {
      return status;
    }
    if ((word & MLX90640_STATUS_SUBPAGE) <= 1) {
      const uint64_t now_us = board_now_us(board);
      const uint64_t took_us = now_us - began_us;
      chip->look_us = took_us < chip->look_us ? (uint32_t)took_us : chip->look_us;
      *subpage = word & MLX90640_STATUS_SUBPAGE;
      *new_data = (word & MLX90640_STATUS_NEW_DATA) != 0;
      *time_us = now_us - chip->look_us / 2; /* attempts that failed came before the one that counts */
      return STATUS_OK;
    }
    counters_add(chip->bus.counters, COUNTER_STATUS_IMPLAUSIBLE, 1);
  }
  return STATUS_BUS;
}

enum status mlx90640_chip_clear_flag(const struct mlx90640_chip *chip) {
  return bus_write_word(&chip->bus, MLX90640_STATUS, POINTER_SIZE, MLX90640_STATUS_CLEARED);
}

enum status mlx90640_chip_settings(const struct mlx90640_chip *chip, uint16_t wanted, uint16_t *found) {
  enum status status = STATUS_OK;
  for (unsigned i = 0; i < CONFIRMATIONS; i++) {
    status = read_words(chip, MLX90640_CONTROL, found, 1);
    if (status != STATUS_OK || *found == wanted) {
      break;
    }
  }
  return status;
}

enum status mlx90640_chip_set(const struct mlx90640_chip *chip, uint16_t wanted) {
  for (unsigned i = 0; i < CONFIRMATIONS; i++) {
    uint16_t found = 0;
    enum status status = bus_write_word(&chip->bus, MLX90640_CONTROL, POINTER_SIZE, wanted);
    if (status == STATUS_OK) {
      status = mlx90640_chip_settings(chip, wanted, &found);
    }
    if (status != STATUS_OK || found == wanted) {
      return status;
    }
  }
  return STATUS_BUS;
}

enum status mlx90640_chip_read_page(const struct mlx90640_chip *chip, uint32_t number, uint16_t ram[RAM_WORDS]) {
  if (chip->chess) {
    return read_words(chip, MLX90640_RAM, ram, RAM_WORDS);
  }
  /* To read on over a row costs 576 clocks, to address the next one 39. Row 23 is followed by the auxiliary words. */
  enum status status = STATUS_OK;
  for (uint32_t row = number; row <= ROWS && status == STATUS_OK; row += 2) {
    const uint32_t at = row * COLUMNS;
    status = read_words(chip, MLX90640_RAM + at, ram + at, row < ROWS - 1U ? COLUMNS : RAM_WORDS - at);
  }
  return status;
}

/* The word that two of up to three further reads agree on: the first read is in doubt, so it has no vote. */
static enum settled reread(const struct mlx90640_chip *chip, uint32_t index, uint16_t *word) {
  uint16_t again[3];
  for (uint32_t i = 0; i < 3; i++) {
    if (read_words(chip, MLX90640_RAM + index, &again[i], 1) != STATUS_OK) {
      return SETTLE_BUS_FAULT;
    }
    if ((i >= 1 && again[i] == again[0]) || (i == 2 && again[2] == again[1])) {
      if (again[i] != *word) {
        *word = again[i];
        counters_add(chip->bus.counters, COUNTER_WORD_CORRECTED, 1);
      }
      return SETTLED;
    }
  }
  return UNSETTLED;
}

static bool marked(const uint32_t set[PLAUSIBILITY_WORDS], uint32_t index) {
  return (set[index / 32U] >> (index % 32U) & 1U) != 0;
}

enum settled mlx90640_chip_settle(const struct mlx90640_chip *chip, uint16_t ram[RAM_WORDS],
                                  const struct own_words *before, uint32_t number, uint16_t control, bool time_for_all,
                                  struct settle_scratch *scratch) {
  uint32_t doubtful[PLAUSIBILITY_WORDS];
  uint32_t again[PLAUSIBILITY_WORDS];
  const size_t count = plausibility_check(ram, before, number, control, &scratch->plausibility, doubtful);
  if (count == 0) {
    return SETTLED;
  }
  if (count <= MOST_SINGLE_REREADS) {
    for (uint32_t i = 0; i < RAM_WORDS; i++) {
      const enum settled settled = marked(doubtful, i) ? reread(chip, i, &ram[i]) : SETTLED;
      if (settled != SETTLED) {
        return settled;
      }
    }
    return SETTLED;
  }
  if (!time_for_all) {
    return UNSETTLED;
  }
  uint16_t *const second = scratch->second;
  if (mlx90640_chip_read_page(chip, number, second) != STATUS_OK) {
    return SETTLE_BUS_FAULT;
  }
  plausibility_check(second, before, number, control, &scratch->plausibility, again);
  for (uint32_t i = 0; i < RAM_WORDS; i++) {
    if (marked(doubtful, i) && marked(again, i) && ram[i] != second[i]) {
      return UNSETTLED;
    }
  }
  for (uint32_t i = 0; i < RAM_WORDS; i++) {
    if (marked(doubtful, i) && ram[i] != second[i]) {
      ram[i] = second[i];
      counters_add(chip->bus.counters, COUNTER_WORD_CORRECTED, 1);
    }
  }
  return SETTLED;
}

static enum status read_and_compare(struct mlx90640_chip *chip, uint16_t eeprom[MLX90640_EEPROM_WORDS],
                                    uint16_t spare[MLX90640_EEPROM_WORDS]) {
  const struct board *board = chip->bus.board;
  const uint64_t began_us = board_now_us(board);
  enum status status = read_words(chip, MLX90640_EEPROM, eeprom, MLX90640_EEPROM_WORDS);
  const uint64_t between_us = board_now_us(board);
  if (status == STATUS_OK) {
    status = read_words(chip, MLX90640_EEPROM, spare, MLX90640_EEPROM_WORDS);
  }
  if (status != STATUS_OK) {
    return status;
  }
  const uint64_t first_us = between_us - began_us;
  const uint64_t second_us = board_now_us(board) - between_us;
  chip->read_us = (uint32_t)(first_us < second_us ? first_us : second_us);
  if (memcmp(eeprom, spare, MLX90640_EEPROM_WORDS * sizeof *eeprom) == 0) {
    return STATUS_OK;
  }
  counters_add(chip->bus.counters, COUNTER_CONSTANTS_MISMATCH, 1);
  for (uint32_t at = 0; at < MLX90640_EEPROM_WORDS; at += CHUNK_WORDS) {
    uint16_t third[CHUNK_WORDS];
    status = read_words(chip, MLX90640_EEPROM + at, third, CHUNK_WORDS);
    if (status != STATUS_OK) {
      return status;
    }
    for (uint32_t i = 0; i < CHUNK_WORDS; i++) {
      if (eeprom[at + i] != spare[at + i] && eeprom[at + i] != third[i]) {
        if (spare[at + i] != third[i]) {
          return STATUS_DAMAGED;
        }
        eeprom[at + i] = third[i];
      }
    }
  }
  return STATUS_OK;
}

enum status mlx90640_chip_read_eeprom(struct mlx90640_chip *chip, uint16_t eeprom[MLX90640_EEPROM_WORDS],
                                      uint16_t spare[MLX90640_EEPROM_WORDS]) {
  enum status status = read_and_compare(chip, eeprom, spare);
  for (unsigned i = 0; i < 2 && status == STATUS_OK && !chip->chess; i++) {
    const uint64_t began_us = board_now_us(chip->bus.board);
    status = mlx90640_chip_read_page(chip, 0, spare);
    const uint64_t took_us = board_now_us(chip->bus.board) - began_us;
    chip->read_us = i == 0 || took_us < chip->read_us ? (uint32_t)took_us : chip->read_us;
  }
  return status;
}

enum status mlx90640_chip_holds(const struct mlx90640_chip *chip, const uint16_t eeprom[MLX90640_EEPROM_WORDS],
                                bool *same) {
  *same = true;
  for (uint32_t at = 0; at < MLX90640_EEPROM_WORDS && *same; at += CHUNK_WORDS) {
    uint16_t found[CHUNK_WORDS];
    uint32_t agree = 0;
    uint32_t differ = 0;
    while (agree == 0 || (differ > 0 && agree < 2 && differ < 2)) {
      const enum status status = read_words(chip, MLX90640_EEPROM + at, found, CHUNK_WORDS);
      if (status != STATUS_OK) {
        return status;
      }
      if (memcmp(found, eeprom + at, sizeof found) == 0) {
        agree++;
      } else if (++differ == 2) {
        break;
      }
    }
    *same = differ < 2;
    if (*same && differ > 0) {
      counters_add(chip->bus.counters, COUNTER_CONSTANTS_MISMATCH, 1);
    }
  }
  return STATUS_OK;
}

enum status mlx90640_chip_is_the_one_with(const struct mlx90640_chip *chip,
                                          const uint16_t eeprom[MLX90640_EEPROM_WORDS], bool *same) {
  *same = false;
  for (unsigned i = 0; i < CONFIRMATIONS && !*same; i++) {
    uint16_t id[3];
    const enum status status = read_words(chip, MLX90640_DEVICE_ID, id, 3);
    if (status != STATUS_OK) {
      return status;
    }
    *same = memcmp(id, eeprom + (MLX90640_DEVICE_ID - MLX90640_EEPROM), sizeof id) == 0;
  }
  return STATUS_OK;
}
