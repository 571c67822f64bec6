/* A whole wearable on a board whose functions a test gives. Flash is memory here; a reset starts the wearable anew. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "wearable_profile.h"

#define PAGE_SIZE 4096
#define PAGES 20

struct harness_callbacks {
  uint64_t (*now_us)(void);
  void (*wait_until_us)(uint64_t time_us);
  enum status (*i2c_transfer)(uint8_t address, const uint8_t *write, size_t write_size, uint8_t *read,
                              size_t read_size);
  void (*i2c_recover)(void);
  size_t (*serial_read)(uint8_t *data, size_t size);
  bool (*serial_write)(const uint8_t *data, size_t size);
  size_t (*serial_room)(void);
  void (*serial_discard)(void);
};

static struct wearable wearable;
static struct board board;
static struct wearable_sensor sensors[WEARABLE_SENSORS];
static uint8_t flash[PAGES * PAGE_SIZE];
static jmp_buf restart;
static uint32_t fed;

static enum status flash_erase(size_t page) {
  memset(flash + page * PAGE_SIZE, 0xFF, PAGE_SIZE);
  return STATUS_OK;
}

static enum status flash_program(size_t offset, const uint8_t *data, size_t size) {
  for (size_t i = 0; i < size; i++) {
    flash[offset + i] &= data[i];
  }
  return STATUS_OK;
}

static void watchdog_feed(void) {
  fed++;
}

static uint32_t no_overruns(void) {
  return 0;
}

static size_t no_stack(void) {
  return 0;
}

static void reset(void) {
  longjmp(restart, 1);
}

void harness_start(const struct harness_callbacks *c, bool keep_flash) {
  if (!keep_flash) {
    memset(flash, 0xFF, sizeof flash);
  }
  board = (struct board){.name = "thermo-edge harness",
                         .platform = "test harness",
                         .processor = "harness-isa",
                         .serial = "HARNESS",
                         .simulated = true,
                         .now_us = c->now_us,
                         .wait_until_us = c->wait_until_us,
                         .i2c_transfer = c->i2c_transfer,
                         .i2c_recover = c->i2c_recover,
                         .serial_read = c->serial_read,
                         .serial_write = c->serial_write,
                         .serial_room = c->serial_room,
                         .serial_overruns = no_overruns,
                         .serial_discard = c->serial_discard,
                         .flash = flash,
                         .flash_page_size = PAGE_SIZE,
                         .flash_pages = PAGES,
                         .flash_erase = flash_erase,
                         .flash_program = flash_program,
                         .watchdog_feed = watchdog_feed,
                         .reset = reset,
                         .stack_used = no_stack};
  agent_init(&wearable, &board, &wearable_profile, sensors);
}

void harness_step(void) {
  if (setjmp(restart) != 0) {
    board.reset_cause = RESET_SOFTWARE;
    agent_init(&wearable, &board, &wearable_profile, sensors);
    return;
  }
  agent_step(&wearable);
}

uint32_t harness_fed(void) {
  return fed;
}

uint32_t harness_state_bytes(void) {
  return sizeof wearable + sizeof sensors;
}
