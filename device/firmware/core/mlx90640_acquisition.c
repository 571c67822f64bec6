/* The state machine of the acquisition; one call does at most one look and one page. */
#include "mlx90640_acquisition.h"

#include <math.h>
#include <string.h>

#include "bytes.h"
#include "crc.h"
#include "float32.h"

/* Pauses between attempts to reach a sensor that does not answer; they double from the first to the last. */
#define FIRST_RETRY_US 20000U
#define LAST_RETRY_US 1000000U
/* Periods after its end at which a page can no longer be read again: at 2 its pixels are replaced. */
#define LATEST_READ 1.97F
#define CONFIRMATIONS 3
#define REFRESH_CODES 8U
#define SAME_PAGES 32U /* so many pages in a row that are equal to the ones before them are a fault */

/* Why a page that was shown was not read. */
enum page { PAGE_READ, PAGE_LOST, PAGE_SETTINGS_LOST, PAGE_BUS_FAULT };

static float nominal_us(uint16_t control) {
  return 1e6F / mlx90640_refresh_hz(control);
}

static bool carries(const struct mlx90640_acquisition *c, uint16_t control) {
  return (float)c->chip.read_us < nominal_us(control);
}

static void lose(struct mlx90640_acquisition *c, enum counter cause, uint32_t pages) {
  if (pages > 0) {
    counters_add(c->counters, cause, pages);
    counters_add(c->counters, COUNTER_BLOCKS_LOST, pages);
  }
}

static void remember_gap(struct mlx90640_acquisition *c) {
  if (!c->has_gap && c->schedule.has_end) {
    c->has_gap = true;
    c->gap_from_us = c->schedule.end_us;
  }
}

static void fail(struct mlx90640_acquisition *c, enum status status) {
  const uint64_t now_us = board_now_us(c->chip.bus.board);
  if (c->state == MLX90640_RUNNING) {
    remember_gap(c);
  }
  if (c->state == MLX90640_RUNNING || c->fault == STATUS_OK) {
    counters_add(c->counters, COUNTER_SENSOR_LOST, 1);
    c->retry_us = FIRST_RETRY_US;
  }
  c->state = MLX90640_ABSENT;
  c->fault = status;
  c->retry_at_us = now_us + c->retry_us;
  c->retry_us = 2 * c->retry_us < LAST_RETRY_US ? 2 * c->retry_us : LAST_RETRY_US;
}

/* Write the settings; the page in the making still has the rate of those before. */
static enum status change(struct mlx90640_acquisition *c, uint16_t before) {
  const uint64_t steady_us = board_now_us(c->chip.bus.board) + (uint32_t)nominal_us(before);
  c->steady_us = steady_us > c->steady_us ? steady_us : c->steady_us;
  return mlx90640_chip_set(&c->chip, c->control);
}

/* Clear the flag of a page that nobody knows the age of, and expect the next one at the rate that it is made at. */
static enum status await_first_page(struct mlx90640_acquisition *c) {
  const uint64_t now_us = board_now_us(c->chip.bus.board);
  const float slow_us = c->steady_us > now_us ? float32_of_unsigned(c->steady_us - now_us) : 0.0F;
  const float period_us = nominal_us(c->control);
  const enum status status = mlx90640_chip_clear_flag(&c->chip);
  if (status == STATUS_OK) {
    page_schedule_restart(&c->schedule, board_now_us(c->chip.bus.board), period_us, fmaxf(period_us, slow_us));
    c->has_number = false;
    c->stale_seen = false;
  }
  return status;
}

/* Write the settings where they are not there already and await the first page; `changed`: others were found. */
static enum status set_up(struct mlx90640_acquisition *c, bool *changed) {
  uint16_t found;
  enum status status = mlx90640_chip_settings(&c->chip, c->control, &found);
  if (status != STATUS_OK) {
    return status;
  }
  *changed = found != c->control;
  if (*changed) {
    status = change(c, found);
    c->foreign = ((found ^ c->control) & MLX90640_CONTROL_MEASUREMENT) != 0;
  }
  if (status == STATUS_OK) {
    status = await_first_page(c);
  }
  if (status == STATUS_OK) {
    c->state = MLX90640_RUNNING;
    c->fault = STATUS_OK;
    c->retry_us = FIRST_RETRY_US;
  }
  return status;
}

/* CRC-32 of 832 words, low bytes first. */
static uint32_t fingerprint(const uint16_t eeprom[MLX90640_EEPROM_WORDS]) {
  uint32_t crc = 0;
  for (size_t i = 0; i < MLX90640_EEPROM_WORDS; i++) {
    uint8_t word[2];
    store_le16(word, eeprom[i]);
    crc = crc32_update(crc, word, sizeof word);
  }
  return crc;
}

/* Number the EEPROM that was read just now, and say whether it, or the sensor, is another than before. */
static void meet(struct mlx90640_acquisition *c) {
  uint8_t id[SIGHTINGS_ID_BYTES] = {0};
  for (size_t i = 0; i < MLX90640_ID_BYTES; i++) {
    const uint16_t word = c->eeprom[MLX90640_DEVICE_ID - MLX90640_EEPROM + i / 2U];
    id[i] = (uint8_t)(i % 2U ? word : word >> 8);
  }
  if (c->has_sighting && memcmp(id, c->id, sizeof c->id) != 0) {
    counters_add(c->counters, COUNTER_SENSOR_CHANGED, 1);
  }
  c->has_eeprom = c->has_sighting = true;
  c->sighting = sightings_meet(c->sightings, &c->sighted, id, fingerprint(c->eeprom));
  memcpy(c->id, id, sizeof c->id);
  if (c->sighting.changed) {
    counters_add(c->counters, COUNTER_CONSTANTS_CHANGED, 1);
  }
}

/* Read and verify the EEPROM, set the sensor up. */
static enum status start(struct mlx90640_acquisition *c) {
  bool changed;
  c->has_eeprom = c->has_constants = false;
  c->has_before[0] = c->has_before[1] = false;
  enum status status = mlx90640_chip_read_eeprom(&c->chip, c->eeprom, c->scratch->second);
  if (status != STATUS_OK) {
    return status;
  }
  meet(c);
  status = mlx90640_extract(c->eeprom, &c->constants);
  if (status != STATUS_OK) {
    counters_add(c->counters, COUNTER_CONSTANTS_INVALID, 1);
    return status;
  }
  c->has_constants = true;
  if (c->constants.found.doubt != 0) {
    counters_add(c->counters, COUNTER_CONSTANTS_DOUBTFUL, 1);
  }
  if (!carries(c, c->control)) {
    counters_add(c->counters, COUNTER_RATE_LOWERED, 1);
    uint32_t code = mlx90640_refresh_code(c->control);
    while (code > 0 && !carries(c, c->control)) {
      code--;
      c->control = mlx90640_control(code, mlx90640_resolution_code(c->control), mlx90640_chess(c->control));
    }
  }
  return set_up(c, &changed);
}

/* Whether the sensor that answers has the EEPROM the constants are from; where not, it is set up with its own. */
static enum status refresh(struct mlx90640_acquisition *c, bool *same) {
  *same = false;
  if (c->has_constants) {
    const enum status status = mlx90640_chip_holds(&c->chip, c->eeprom, same);
    if (status != STATUS_OK || *same) {
      return status;
    }
  }
  return start(c);
}

/* Set up after a fault: pages that should have come meanwhile are lost. */
static enum status set_up_again(struct mlx90640_acquisition *c) {
  bool same;
  bool changed = false;
  remember_gap(c);
  enum status status = refresh(c, &same);
  if (status == STATUS_OK && same) {
    status = set_up(c, &changed);
    if (status == STATUS_OK && changed) {
      counters_add(c->counters, COUNTER_SENSOR_RESET, 1);
    }
  }
  return status;
}

/* Bring back a sensor that was lost, or never there. */
static void restart(struct mlx90640_acquisition *c) {
  const enum status status = c->has_constants ? set_up_again(c) : start(c);
  if (status != STATUS_OK) {
    fail(c, status);
  }
}

/* Whether settings are gone; where they are a chip's defaults, whether another sensor answers. */
static enum status lost_power(struct mlx90640_acquisition *c, bool *lost) {
  uint16_t found;
  bool same = true;
  enum status status = mlx90640_chip_settings(&c->chip, c->control, &found);
  if (status == STATUS_OK && found == c->control && found == MLX90640_CONTROL_DEFAULT) {
    status = mlx90640_chip_is_the_one_with(&c->chip, c->eeprom, &same);
  }
  *lost = status == STATUS_OK && (found != c->control || !same);
  return status;
}

/* Whether the flag stands over a page that was not read yet. */
static bool is_new(struct mlx90640_acquisition *c, uint8_t number, uint64_t now_us) {
  if (!c->has_number || number != c->last_number || page_schedule_pages_since(&c->schedule, now_us) >= 1.5F) {
    return true;
  }
  if (!c->stale_seen) {
    c->stale_seen = true;
    counters_add(c->counters, COUNTER_PAGE_REPEATED, 1);
  }
  return false;
}

/* Whether the page just read may hold pixels of a later one of the same subpage. */
static enum status overwritten(struct mlx90640_acquisition *c, uint8_t number, bool *is) {
  *is = true;
  for (unsigned i = 0; i < CONFIRMATIONS; i++) {
    uint8_t shown;
    bool new_data;
    uint64_t now_us;
    const enum status status = mlx90640_chip_look(&c->chip, &shown, &new_data, &now_us);
    if (status != STATUS_OK) {
      return status;
    }
    if (new_data && shown == number) {
      *is = is_new(c, number, now_us);
      return STATUS_OK;
    }
    if (new_data) {
      page_schedule_seen(&c->schedule, now_us);
      counters_add(c->counters, COUNTER_PAGE_OVERLAPPED, 1);
      *is = page_schedule_pages_since(&c->schedule, now_us) > 2.5F;
      return STATUS_OK;
    }
    if (shown == number) {
      page_schedule_unseen(&c->schedule, now_us);
      *is = false;
      return STATUS_OK;
    }
    counters_add(c->counters, COUNTER_STATUS_IMPLAUSIBLE, 1);
  }
  return STATUS_OK;
}

/* Whether no pixel of a subpage was measured: RAM is all 0 after power-on. */
static bool is_empty(const uint16_t ram[RAM_WORDS], uint8_t number, uint16_t control) {
  const bool chess = mlx90640_chess(control);
  for (uint32_t own = 0; own < OWN_PIXELS; own++) {
    if (ram[subpage_pixel(own, number, chess)] != 0) {
      return false;
    }
  }
  return true;
}

/* The rows that are not read with an interleaved page: those of the last one of the other subpage, 0 where there is
 * none. */
static void put_other(struct mlx90640_acquisition *c, uint8_t number) {
  const uint32_t other = 1U - number;
  for (uint32_t own = 0; own < OWN_PIXELS && !c->chip.chess; own++) {
    c->ram[subpage_pixel(own, other, false)] = c->has_before[other] ? c->before[other].pixels[own] : 0;
  }
}

static enum page read_shown(struct mlx90640_acquisition *c, uint8_t number, enum counter *cause, enum status *status) {
  const struct board *board = c->chip.bus.board;
  const uint64_t began_us = board_now_us(board);
  bool is = false;
  *status = mlx90640_chip_clear_flag(&c->chip);
  if (*status != STATUS_OK) {
    return PAGE_BUS_FAULT;
  }
  if (float32_of_unsigned(board_now_us(board) - began_us) > c->schedule.period_us / 4.0F) {
    *cause = COUNTER_PAGE_DROPPED; /* so late that it may have cleared the flag of a later page */
    return PAGE_LOST;
  }
  put_other(c, number);
  *status = mlx90640_chip_read_page(&c->chip, number, c->ram);
  if (*status == STATUS_OK) {
    *status = lost_power(c, &is);
  }
  if (*status != STATUS_OK) {
    return PAGE_BUS_FAULT;
  }
  if (is || is_empty(c->ram, number, c->control)) {
    return PAGE_SETTINGS_LOST;
  }
  enum settled settled = SETTLED;
  if (c->has_before[number]) {
    const uint64_t read_by_us = board_now_us(board) + c->chip.read_us;
    const bool in_time = page_schedule_pages_since(&c->schedule, read_by_us) < LATEST_READ;
    settled = mlx90640_chip_settle(&c->chip, c->ram, &c->before[number], number, c->control, in_time, c->scratch);
  }
  if (settled == SETTLE_BUS_FAULT) {
    *status = STATUS_BUS;
    return PAGE_BUS_FAULT;
  }
  *status = overwritten(c, number, &is);
  if (*status != STATUS_OK) {
    return PAGE_BUS_FAULT;
  }
  *cause = is ? COUNTER_PAGE_OVERWRITTEN : COUNTER_PAGE_UNSETTLED;
  return is || settled == UNSETTLED ? PAGE_LOST : PAGE_READ;
}

/* Pages since the last one before a fault, this one included; 1 at the first start and after a pause. */
static uint32_t pages_in_gap(struct mlx90640_acquisition *c, uint64_t now_us) {
  if (!c->has_gap) {
    return 1;
  }
  c->has_gap = false;
  const float pages = float32_of_unsigned(now_us - c->gap_from_us) / c->schedule.nominal_us + 0.5F;
  return pages > 1.0F ? (uint32_t)fminf(pages, 1e9F) : 1U;
}

/* Take the page in `ram` as the subpage to hand on, unless there is nothing to hold it against. */
static bool hand_on(struct mlx90640_acquisition *c, uint8_t number) {
  const bool known = c->has_before[number];
  const bool same = known && plausibility_same(&c->before[number], c->ram, number, c->control);
  c->same_pages = same ? (uint8_t)(c->same_pages + 1U) : 0;
  plausibility_keep(&c->before[number], c->ram, number, c->control);
  c->has_before[number] = true;
  if (!known) {
    /* A damaged word would go unseen. */
    counters_add(c->counters, COUNTER_PAGES_SETTLING, 1);
    return false;
  }
  counters_add(c->counters, COUNTER_BLOCKS_CAPTURED, 1);
  c->number = number;
  c->index = c->next_index - 1;
  c->time_us = c->schedule.has_end ? c->schedule.end_us : board_now_us(c->chip.bus.board);
  return true;
}

/* Tell of a sensor whose pages are equal to the last bit, and set it up again. */
static enum status thaw(struct mlx90640_acquisition *c) {
  if (c->same_pages < SAME_PAGES) {
    return STATUS_OK;
  }
  c->same_pages = 0;
  counters_add(c->counters, COUNTER_SENSOR_FROZEN, 1);
  return mlx90640_chip_set(&c->chip, c->control);
}

/* Leave a page unread whose measurement began before the sensor had its pattern and resolution. */
static enum status pass_over(struct mlx90640_acquisition *c, uint8_t number) {
  c->foreign = false;
  if (c->has_before[number]) {
    lose(c, COUNTER_PAGE_DROPPED, 1);
  } else {
    counters_add(c->counters, COUNTER_PAGES_SETTLING, 1);
  }
  return mlx90640_chip_clear_flag(&c->chip);
}

/* One look at the sensor, and the page it shows where that is new. */
static enum status look(struct mlx90640_acquisition *c, bool *captured) {
  uint8_t number;
  bool new_data;
  uint64_t now_us;
  enum status status = mlx90640_chip_look(&c->chip, &number, &new_data, &now_us);
  if (status != STATUS_OK) {
    return status;
  }
  if (!new_data || !is_new(c, number, now_us)) {
    page_schedule_unseen(&c->schedule, now_us);
    if (now_us > c->schedule.timeout_us) {
      counters_add(c->counters, COUNTER_PAGE_LATE, 1);
      return set_up_again(c);
    }
    return STATUS_OK;
  }
  c->stale_seen = false;
  uint32_t pages = page_schedule_arrived(&c->schedule, now_us, !c->has_number || c->last_number != number);
  if (!c->has_number) {
    uint8_t again;
    bool still;
    uint64_t later_us;
    status = mlx90640_chip_look(&c->chip, &again, &still, &later_us);
    if (status != STATUS_OK) {
      return status;
    }
    if (again != number || !still) {
      /* A flag over RAM that is empty or old, had a flipped bit raised it. */
      counters_add(c->counters, COUNTER_STATUS_IMPLAUSIBLE, 1);
      return await_first_page(c);
    }
    pages = pages_in_gap(c, now_us);
  }
  lose(c, COUNTER_PAGE_MISSED, pages - 1);
  c->next_index += pages;
  c->has_number = true;
  c->last_number = number;
  if (c->foreign) {
    return pass_over(c, number);
  }
  enum counter cause = COUNTER_PAGE_DROPPED;
  switch (read_shown(c, number, &cause, &status)) {
    case PAGE_READ:
      *captured = hand_on(c, number);
      return thaw(c);
    case PAGE_LOST:
      lose(c, cause, 1);
      return STATUS_OK;
    case PAGE_SETTINGS_LOST:
      lose(c, COUNTER_PAGE_DROPPED, 1);
      return set_up_again(c);
    default:
      lose(c, COUNTER_PAGE_DROPPED, 1);
      return status;
  }
}

void mlx90640_acquisition_init(struct mlx90640_acquisition *c, const struct board *board, struct counters *counters,
                               const struct mlx90640_settings *settings, struct settle_scratch *scratch,
                               struct sightings *sightings, uint8_t sensor) {
  memset(c, 0, sizeof *c);
  mlx90640_chip_init(&c->chip, board, counters, settings->address, settings->chess);
  c->counters = counters;
  c->scratch = scratch;
  c->sightings = sightings;
  sightings_recall(sightings, &c->sighted, sensor);
  c->control = mlx90640_control(settings->refresh_code, settings->resolution_code, settings->chess);
  page_schedule_restart(&c->schedule, board_now_us(board), nominal_us(c->control), nominal_us(c->control));
  c->retry_at_us = board_now_us(board);
  c->retry_us = FIRST_RETRY_US;
}

uint64_t mlx90640_acquisition_due_us(const struct mlx90640_acquisition *c) {
  return c->state == MLX90640_RUNNING ? c->schedule.poll_us : c->retry_at_us;
}

bool mlx90640_acquisition_poll(struct mlx90640_acquisition *c) {
  bool captured = false;
  if (board_now_us(c->chip.bus.board) < mlx90640_acquisition_due_us(c)) {
    return false;
  }
  if (c->state != MLX90640_RUNNING) {
    restart(c);
    return false;
  }
  const enum status status = look(c, &captured);
  if (status != STATUS_OK) {
    fail(c, status);
  }
  return captured;
}

void mlx90640_acquisition_resume(struct mlx90640_acquisition *c) {
  bool same;
  c->has_gap = false;
  if (c->state == MLX90640_RUNNING) {
    enum status status = refresh(c, &same);
    if (status == STATUS_OK && same) {
      status = await_first_page(c);
    }
    if (status != STATUS_OK) {
      fail(c, status);
    }
  }
}

float mlx90640_acquisition_rate_hz(const struct mlx90640_acquisition *c) {
  return mlx90640_refresh_hz(c->control);
}

float mlx90640_acquisition_measured_rate_hz(const struct mlx90640_acquisition *c) {
  return 1e6F / c->schedule.period_us;
}

enum status mlx90640_acquisition_set_rate(struct mlx90640_acquisition *c, float rate_hz) {
  for (uint32_t code = 0; code < REFRESH_CODES; code++) {
    const uint16_t wanted = mlx90640_control(code, mlx90640_resolution_code(c->control), mlx90640_chess(c->control));
    if (mlx90640_refresh_hz(wanted) == rate_hz) {
      if (!carries(c, wanted)) {
        return STATUS_FULL;
      }
      const uint16_t before = c->control;
      enum status status = STATUS_OK;
      bool same = false;
      c->control = wanted;
      if (c->state == MLX90640_RUNNING) {
        status = refresh(c, &same);
        if (status == STATUS_OK && same) {
          status = change(c, before);
        }
        if (status == STATUS_OK && same) {
          status = await_first_page(c);
        }
        if (status != STATUS_OK) {
          fail(c, status);
        }
      }
      return status;
    }
  }
  return STATUS_ARGUMENT;
}

bool mlx90640_acquisition_is_doubtful(const struct mlx90640_acquisition *c) {
  return c->sighting.changed || (c->has_constants && c->constants.found.doubt != 0);
}

enum status mlx90640_acquisition_verify_eeprom(struct mlx90640_acquisition *c) {
  if (!c->has_sighting) {
    return STATUS_EMPTY;
  }
  /* The settle scratch holds one EEPROM; the newest page, which is not needed any more, the other. */
  enum status status = mlx90640_chip_read_eeprom(&c->chip, c->ram, c->scratch->second);
  if (status != STATUS_OK || (c->has_eeprom && memcmp(c->ram, c->eeprom, sizeof c->eeprom) == 0)) {
    return status;
  }
  status = start(c);
  if (status != STATUS_OK) {
    fail(c, status);
  }
  return STATUS_DAMAGED;
}
