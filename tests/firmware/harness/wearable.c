/* A whole wearable on a board whose functions a test gives. Flash is memory here; a reset starts the wearable anew. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "nor_flash.h"
#include "wearable_profile.h"

#define BLOCK_SIZE 4096
#define BLOCKS 20

struct harness_callbacks {
  uint64_t (*now_us)(void *context);
  void (*wait_until_us)(void *context, uint64_t time_us);
  enum status (*i2c_transfer)(void *context, uint8_t address, const uint8_t *write, size_t write_size, uint8_t *read,
                              size_t read_size);
  void (*i2c_recover)(void *context);
  size_t (*serial_read)(void *context, uint8_t *data, size_t size);
  bool (*serial_write)(void *context, const uint8_t *data, size_t size);
  size_t (*serial_room)(void *context);
  void (*serial_discard)(void *context);
};

static struct wearable wearable;
static struct board board;
static struct wearable_sensor sensors[WEARABLE_SENSORS];
static uint8_t flash[BLOCKS * BLOCK_SIZE];
static struct nor_flash nor = {
    .bytes = flash, .read_size = 1, .prog_size = 8, .block_size = BLOCK_SIZE, .block_count = BLOCKS};
static jmp_buf restart;
static uint32_t fed;

static void watchdog_feed(void *context) {
  (void)context;
  fed++;
}

static uint32_t no_overruns(void *context) {
  (void)context;
  return 0;
}

static size_t no_stack(void *context) {
  (void)context;
  return 0;
}

static void reset(void *context) {
  (void)context;
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
                         .flash = nor_flash(&nor),
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
