/* Memory that a simulated board shares with thermo-sim: a mailbox for I2C transactions, the clock's last reading,
   flash, and a report. thermo_sim/mailbox.py has the same layout; a test holds them together.

   It is a file, so that flash and clock survive resets and, where the simulator keeps the file, restarts. Numbers are
   little-endian. */
#ifndef SHARED_MEMORY_H
#define SHARED_MEMORY_H

#include <stdint.h>

#define SHARED_MAGIC 0x424D4554U /* "TEMB" */
#define SHARED_VERSION 1U
#define SHARED_SIZE 0x1000000U

#define MAILBOX_TRANSFER 1U
#define MAILBOX_RECOVER 2U
#define MAILBOX_MAX_WRITE 256U
#define MAILBOX_MAX_READ 4096U

/* The board fills in a transaction, counts `request` up and rings; thermo-sim carries it out, fills in the result, sets
   `response` to the request's number and rings back. Neither touches the other's part. */
struct mailbox {
  uint32_t magic; /* thermo-sim serves it */
  uint32_t version;
  char serial[32]; /* of this board, text */

  uint32_t request; /* the board's part */
  uint32_t kind;
  uint32_t address;
  uint32_t write_size;
  uint32_t read_size;
  uint8_t write_data[MAILBOX_MAX_WRITE];

  uint32_t response; /* thermo-sim's part */
  uint32_t status;   /* of enum status, OK to BUS */
  uint8_t read_data[MAILBOX_MAX_READ];
};

/* The clock's reading, written to the entry that `current` does not name, which then names it: a reset in between costs
   one reading. */
struct retained_time {
  uint32_t magic;
  uint32_t current;
  uint64_t time_us[2];
};

/* What a board tells whoever debugs it. */
struct board_report {
  uint32_t starts;
  uint32_t stack_used; /* most bytes since the last start; 0 where the board cannot tell */
  uint32_t faults;     /* since power-on, bites of the watchdog among them; the others are of the last one */
  uint32_t exception;  /* number: 2 watchdog, 3 HardFault */
  uint32_t pc;
  uint32_t lr;
  uint32_t cfsr; /* configurable fault status register */
  uint32_t reserved;
  uint64_t now_us;   /* when it was written, by the board's clock */
  uint64_t slept_us; /* of that time since the last start; 0 where the board cannot tell */
};

#define FLASH_UNIT 8U /* that is programmed at once */
#define FLASH_BLOCK_SIZE 4096U
#define FLASH_BLOCKS 32U
#define MODEL_BLOCKS 32U /* of each of two slots for a model */
#define SLOT_BLOCKS 64U  /* of each of two slots for a firmware that a bootloader starts */

struct shared_memory {
  struct mailbox mailbox;
  uint8_t reserved_1[0x8000U - sizeof(struct mailbox)];
  struct retained_time time;
  uint8_t reserved_2[0x4000U - sizeof(struct retained_time)];
  struct board_report report;
  uint8_t reserved_3[0x4000U - sizeof(struct board_report)];
  uint8_t flash[FLASH_BLOCKS * FLASH_BLOCK_SIZE];
  uint8_t reserved_4[0x10000U];
  uint8_t slots[2][SLOT_BLOCKS * FLASH_BLOCK_SIZE];
  uint8_t models[2][MODEL_BLOCKS * FLASH_BLOCK_SIZE];
};

#endif
