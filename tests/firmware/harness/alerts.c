/* Where a profile's alerts stand, kept in a flash that can lose power. */
#include <string.h>

#include "alert_store.h"
#include "failing_flash.h"

static struct profile profile;
static struct alert alerts[LIMIT_ALERTS];
static struct alert_store store;
static const struct board *board;

void alerts_new(size_t block_size, size_t blocks, size_t read_size, size_t prog_size);
int alerts_open(uint8_t which, uint8_t count, uint64_t now_us);
void alerts_set(uint8_t number, int state, int64_t time_us, float value, uint16_t flags);
int alerts_get(uint8_t number, int64_t *time_us, float *value, uint16_t *flags);
int alerts_keep(uint64_t now_us, int at_once);
int alerts_problem(void);

void alerts_new(size_t block_size, size_t blocks, size_t read_size, size_t prog_size) {
  board = flash_board(block_size, blocks, read_size, prog_size);
}

/* As after a reset, with the profile of that number. Returns the blocks that are used. */
int alerts_open(uint8_t which, uint8_t count, uint64_t now_us) {
  memset(alerts, 0, sizeof alerts);
  memset(profile.cbor_sha256, which, sizeof profile.cbor_sha256);
  profile.alert_states = alerts;
  profile.alert_count = count;
  alert_store_open(&store, &board->flash, 0, board->flash.block_count, &profile, now_us);
  return (int)alert_store_blocks(&store);
}

void alerts_set(uint8_t number, int state, int64_t time_us, float value, uint16_t flags) {
  alerts[number] = (struct alert){.state = (enum alert_state)state, .time_us = time_us, .value = value, .flags = flags};
}

int alerts_get(uint8_t number, int64_t *time_us, float *value, uint16_t *flags) {
  *time_us = alerts[number].time_us;
  *value = alerts[number].value;
  *flags = alerts[number].flags;
  return (int)alerts[number].state;
}

int alerts_keep(uint64_t now_us, int at_once) {
  return alert_store_keep(&store, now_us, at_once != 0);
}

int alerts_problem(void) {
  return store.journal.problem;
}
