/* The scan of an ADS1115's channels as a state machine. */
#include "thermistor_array.h"

#include <string.h>

/* A conversion at 860 a second with an oscillator 10 % slow, and the time to wake up. */
#define CONVERSION_US 1400U
/* How often one channel is converted before it reads as missing. */
#define TRIES 3
/* Few, because a missing ADC must not hold up the pictures. */
#define ATTEMPTS 2
#define FIRST_COST_US 300U
/* A transaction that took longer met a fault, which says nothing about the next. */
#define LARGEST_COST_US 2000U

#define POINTER_SIZE 1
#define CONVERSION 0U
#define CONFIG 1U
/* Start or ready, single-ended, 4.096 V, single shot, 860 a second, comparator off. */
#define CONFIGURATION 0xC3E3U
#define CHANNEL_SHIFT 12
/* The difference to 6.144 V. */
#define WIDER 0x0200U
/* Of an input that gains can be told apart by. */
#define LEAST_COUNTS 64

static uint16_t configuration(const struct thermistor_array *a) {
  return (uint16_t)((CONFIGURATION ^ (a->checking ? WIDER : 0U)) | (uint32_t)a->channel << CHANNEL_SHIFT);
}

void thermistor_array_init(struct thermistor_array *a, const struct board *board, struct counters *counters,
                           const struct thermistor_settings *settings) {
  memset(a, 0, sizeof *a);
  a->bus = (struct bus){.board = board, .counters = counters, .address = settings->address, .attempts = ATTEMPTS};
  a->settings = settings;
  a->period_us = (uint32_t)(1e6F / settings->rate_hz);
  a->due_us = a->ready_us = board_now_us(board);
  a->cost_us = FIRST_COST_US;
  thermistor_array_reset_curves(a);
}

void thermistor_array_reset_curves(struct thermistor_array *a) {
  for (size_t i = 0; i < a->settings->channel_count; i++) {
    thermistor_profile_curve(&a->settings->channels[i], &a->curves[i]);
  }
}

void thermistor_array_begin(struct thermistor_array *a) {
  a->scanning = false;
  a->due_us = a->ready_us = board_now_us(a->bus.board);
}

/* From then on a scan goes on at the expense of pictures. */
static uint64_t late_us(const struct thermistor_array *a) {
  return a->due_us + a->period_us + 1;
}

uint64_t thermistor_array_due_us(const struct thermistor_array *a, uint64_t free_until_us) {
  const uint64_t now_us = board_now_us(a->bus.board);
  const uint64_t at_us = now_us > a->ready_us ? now_us : a->ready_us;
  if (a->settings->channel_count == 0) {
    return UINT64_MAX;
  }
  return at_us + a->cost_us <= free_until_us || at_us > late_us(a) ? at_us : late_us(a);
}

/* The next conversion: after that with the wider range the same channel without. */
static void next_channel(struct thermistor_array *a) {
  a->channel = (uint8_t)(a->channel + (a->checking ? 0U : 1U));
  a->checking = false;
  a->tries = 0;
  a->step = THERMISTOR_START;
}

/* What was just done did not hold: convert the channel again, or give it up. */
static void try_again(struct thermistor_array *a, enum counter cause) {
  counters_add(a->bus.counters, cause, 1);
  a->step = THERMISTOR_START;
  if (++a->tries >= TRIES) {
    a->readings[a->channel].state = THERMISTOR_MISSING;
    next_channel(a);
  }
}

static enum status advance(struct thermistor_array *a) {
  uint16_t word;
  enum status status;
  switch (a->step) {
    case THERMISTOR_START:
      status = bus_write_word(&a->bus, CONFIG, POINTER_SIZE, configuration(a));
      if (status == STATUS_OK) {
        a->step = THERMISTOR_CONFIRM;
        a->ready_us = board_now_us(a->bus.board) + CONVERSION_US;
      }
      return status;
    case THERMISTOR_CONFIRM:
      status = bus_read_words(&a->bus, CONFIG, POINTER_SIZE, &word, 1);
      if (status == STATUS_OK) {
        a->step = THERMISTOR_FIRST;
        if (word != configuration(a)) {
          try_again(a, COUNTER_READING_LATE);
        }
      }
      return status;
    case THERMISTOR_FIRST:
      status = bus_read_words(&a->bus, CONVERSION, POINTER_SIZE, &a->first, 1);
      if (status == STATUS_OK) {
        a->step = THERMISTOR_SECOND;
      }
      return status;
    default:
      status = bus_read_words(&a->bus, CONVERSION, POINTER_SIZE, &word, 1);
      if (status == STATUS_OK && word != a->first) {
        try_again(a, COUNTER_READING_MISMATCH);
      } else if (status == STATUS_OK && a->checking) {
        a->wide = (int16_t)word;
        next_channel(a);
      } else if (status == STATUS_OK) {
        struct thermistor_reading *reading = &a->readings[a->channel];
        reading->counts = (int16_t)word;
        reading->state = thermistor_celsius(&a->settings->channels[a->channel], &a->curves[a->channel], reading->counts,
                                            &reading->celsius);
        next_channel(a);
      }
      return status;
  }
}

/* All channels read alike. */
static void say(struct thermistor_array *a, enum thermistor_state state) {
  for (size_t i = 0; i < a->settings->channel_count; i++) {
    a->readings[i] = (struct thermistor_reading){.state = state};
  }
}

/* Whether the wider range made of the first channel what it makes of what is converted. */
static void judge(struct thermistor_array *a) {
  if (a->wide > 0 && a->readings[0].state != THERMISTOR_MISSING) {
    const int32_t counts = a->readings[0].counts;
    const bool frozen = counts > LEAST_COUNTS && 6 * a->wide > 5 * counts;
    if (frozen && !a->frozen) {
      counters_add(a->bus.counters, COUNTER_SENSOR_FROZEN, 1);
    }
    a->frozen = frozen;
  }
  if (a->frozen) {
    say(a, THERMISTOR_FROZEN);
  }
}

static void finish(struct thermistor_array *a, uint64_t now_us) {
  a->scanning = false;
  a->time_us = now_us;
  a->due_us += a->period_us;
  if (a->due_us <= now_us) {
    a->due_us = now_us + a->period_us;
  }
  a->ready_us = a->due_us;
  counters_add(a->bus.counters, COUNTER_BLOCKS_CAPTURED, 1);
}

bool thermistor_array_poll(struct thermistor_array *a, uint64_t free_until_us) {
  const uint64_t began_us = board_now_us(a->bus.board);
  if (a->settings->channel_count == 0 || began_us < a->ready_us) {
    return false;
  }
  if (began_us + a->cost_us > free_until_us && began_us < late_us(a)) {
    return false;
  }
  if (!a->scanning) {
    a->scanning = true;
    a->channel = 0;
    a->tries = 0;
    a->step = THERMISTOR_START;
    a->wide = 0;
    a->checking = a->frozen || ++a->unchecked >= a->settings->check_scans;
    if (a->checking) {
      a->unchecked = 0;
    }
    memset(a->readings, 0, sizeof a->readings);
  }
  const enum status status = advance(a);
  const uint64_t now_us = board_now_us(a->bus.board);
  const uint64_t took_us = now_us - began_us;
  const uint32_t slowly = a->cost_us * 7 / 8;
  const uint32_t took = took_us < LARGEST_COST_US ? (uint32_t)took_us : LARGEST_COST_US;
  a->cost_us = took > slowly ? took : slowly;
  if (status != STATUS_OK) {
    if (!a->lost) {
      counters_add(a->bus.counters, COUNTER_SENSOR_LOST, 1);
    }
    a->lost = true;
    say(a, THERMISTOR_MISSING);
    finish(a, now_us);
    return true;
  }
  if (a->channel < a->settings->channel_count) {
    return false;
  }
  a->lost = false;
  judge(a);
  finish(a, now_us);
  return true;
}
