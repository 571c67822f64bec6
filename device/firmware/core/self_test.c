/* The checks of a self-test, with the figures they rest on. */
#include "self_test.h"

#include <math.h>
#include <string.h>

#include "mlx90640_limits.h"
#include "wearable_parts.h"

#define PAGES 4
#define SECOND_US 1000000U
#define SCAN_US 500000U
#define RATE_TOLERANCE 0.1F
#define SENTENCE_BYTES 128

static void within(struct wearable_results *results, const char *name, float value, float low, float high,
                   const char *unit) {
  char sentence[SENTENCE_BYTES];
  struct text text;
  text_begin(&text, sentence, sizeof sentence);
  text_add_float(&text, value, 2);
  text_add(&text, unit);
  text_add(&text, "; ");
  text_add_float(&text, low, 0);
  text_add(&text, " to ");
  text_add_float(&text, high, high < 10.0F ? 1 : 0);
  text_add(&text, " is in order.");
  wearable_group_result(results, name, low <= value && value <= high, sentence);
}

/* Capture until the newest page is not older than three periods; whether there is one. */
static bool has_fresh_page(struct wearable *w) {
  const struct board *board = w->board;
  const uint64_t period_us = (uint32_t)(1e6F / camera_rate_hz(&w->camera));
  uint64_t now_us = board->now_us();
  if (w->newest_us != 0 && now_us - w->newest_us <= 3 * period_us) {
    return true;
  }
  camera_resume(&w->camera);
  w->newest_us = 0;
  const uint64_t end_us = now_us + (PAGES + 2) * period_us + SECOND_US;
  const uint32_t wanted = w->counters.counts[COUNTER_SUBPAGES_CAPTURED] + PAGES;
  while (w->counters.counts[COUNTER_SUBPAGES_CAPTURED] < wanted && board->now_us() < end_us) {
    const uint64_t due_us = camera_due_us(&w->camera);
    board->watchdog_feed();
    board->wait_until_us(due_us < end_us ? due_us : end_us);
    wearable_poll_camera(w);
  }
  return w->newest_us != 0;
}

static void check_page(struct wearable *w, struct wearable_results *results) {
  /* The picture that is being put together starts anew afterwards. */
  struct verdicts *v = &w->verdicts;
  struct mlx90640_conditions conditions;
  const struct mlx90640_optics optics = {.emissivity = w->profile->camera_emissivity,
                                         .reflected_celsius = w->profile->camera_reflected_celsius};
  char sentence[SENTENCE_BYTES];
  struct text text;
  uint32_t count = 0;
  text_begin(&text, sentence, sizeof sentence);
  v->waiting = false;
  memset(v->valid, 0, sizeof v->valid);
  enum status status =
      mlx90640_read_conditions(&w->camera.constants, w->camera.ram, w->camera.control, w->camera.number, &conditions);
  if (status == STATUS_OK) {
    status = mlx90640_decode(&w->camera.constants, &optics, w->camera.ram, &conditions, v->celsius, v->valid);
  }
  if (status != STATUS_OK) {
    wearable_group_result(
        results, "page decodes", false,
        status == STATUS_BAD_AUXILIARY
            ? "An auxiliary word of the newest page cannot be right; check supply and wiring."
            : "No pixel of the newest page gives a temperature of -40 to 300 degC; check what the sensor looks at.");
    return;
  }
  for (uint32_t row = 0; row < ROWS; row++) {
    for (uint32_t bits = v->valid[row]; bits != 0; bits &= bits - 1) {
      count++;
    }
  }
  text_add_unsigned(&text, count);
  text_add(&text, " valid pixels in the newest subpage.");
  wearable_group_result(results, "page decodes", true, sentence);
  within(results, "supply", conditions.vdd, MLX90640_LOWEST_SUPPLY, MLX90640_HIGHEST_SUPPLY, " V");
  within(results, "ambient", conditions.ta, MLX90640_COLDEST_DIE, MLX90640_HOTTEST_DIE, " degC");
}

static void check_rate(struct wearable *w, struct wearable_results *results, bool fresh) {
  const float nominal = camera_rate_hz(&w->camera);
  const float measured = camera_measured_rate_hz(&w->camera);
  char sentence[SENTENCE_BYTES];
  struct text text;
  text_begin(&text, sentence, sizeof sentence);
  if (fresh) {
    text_add_float(&text, measured, 2);
    text_add(&text, " subpages/s of ");
    text_add_float(&text, nominal, nominal < 1.0F ? 1 : 0);
    text_add(&text, ".");
  } else {
    text_add(&text, "No subpage came.");
  }
  wearable_group_result(results, "refresh rate", fresh && fabsf(measured / nominal - 1.0F) <= RATE_TOLERANCE, sentence);
}

static void check_eeprom(struct wearable *w, struct wearable_results *results) {
  const enum status status = camera_verify_eeprom(&w->camera);
  const char *sentence = "Two reads agree with each other and with the constants in use.";
  if (status == STATUS_DAMAGED) {
    sentence = "It held something else than the constants in use, which were taken from it anew; repeat the test.";
  } else if (status == STATUS_EMPTY) {
    sentence = "It could not be read, because the picture sensor has never answered.";
  } else if (status != STATUS_OK) {
    sentence = bus_sentence(status);
  }
  wearable_group_result(results, "EEPROM", status == STATUS_OK, sentence);
}

static void check_constants(const struct wearable *w, struct wearable_results *results) {
  char sentence[2 * SENTENCE_BYTES];
  struct text text;
  text_begin(&text, sentence, sizeof sentence);
  wearable_warning(w, &text);
  const bool doubtful = text.used > 0;
  if (!doubtful) {
    text_add(&text, "They are as first seen or calibrated, and nothing in them is strange.");
  } else {
    text_add(&text,
             " Restore the EEPROM or replace the sensor, or calibrate it, which holds it to a reference as it is.");
  }
  wearable_group_result(results, "constants", !doubtful, sentence);
}

static void check_camera(struct wearable *w, struct wearable_results *results) {
  const bool fresh = has_fresh_page(w);
  const bool running = w->camera.state == CAMERA_RUNNING;
  wearable_group_result(results, "sensor answers", running,
                        running ? "The picture sensor is set up and answers." : bus_sentence(w->camera.fault));
  if (w->camera.has_constants) {
    char sentence[SENTENCE_BYTES];
    struct text text;
    check_constants(w, results);
    text_begin(&text, sentence, sizeof sentence);
    text_add_unsigned(&text, w->camera.constants.found.bad_count);
    text_add(&text, " bad pixels by the EEPROM, filled in from their neighbours.");
    wearable_group_result(results, "bad pixels", true, sentence);
    check_rate(w, results, fresh);
    if (fresh) {
      check_page(w, results);
    }
  }
  check_eeprom(w, results);
}

static void check_thermistors(struct wearable *w, struct wearable_results *results) {
  static const char *const faults[] = {"", "The channel is open.", "The channel is shorted.",
                                       "The channel is missing."};
  const struct board *board = w->board;
  const uint64_t end_us = board->now_us() + SCAN_US;
  thermistor_array_begin(&w->thermistors);
  while (!thermistor_array_poll(&w->thermistors, UINT64_MAX) && board->now_us() < end_us) {
    board->watchdog_feed();
    board->wait_until_us(thermistor_array_due_us(&w->thermistors, UINT64_MAX));
  }
  for (uint8_t i = 0; i < w->profile->channel_count; i++) {
    const struct thermistor_reading *reading = &w->thermistors.readings[i];
    char name[64];
    char sentence[SENTENCE_BYTES];
    struct text text;
    text_begin(&text, name, sizeof name);
    text_add(&text, "thermistor ");
    text_add(&text, w->profile->channels[i].name);
    text_begin(&text, sentence, sizeof sentence);
    if (reading->state == THERMISTOR_OK) {
      text_add_float(&text, reading->celsius, 2);
      text_add(&text, " degC.");
    } else {
      text_add(&text, faults[reading->state]);
    }
    wearable_group_result(results, name, reading->state == THERMISTOR_OK, sentence);
  }
}

void self_test_run(struct wearable *w, struct wearable_results *results) {
  check_camera(w, results);
  check_thermistors(w, results);
  if (w->profile->model == NULL) {
    return;
  }
  if (!verdicts_average(&w->verdicts)) {
    wearable_group_result(results, "model", false,
                          "The profile averages more pictures than the firmware holds; build it with fewer.");
    return;
  }
  const bool passed = verdicts_self_test(w->profile);
  wearable_group_result(results, "model", passed,
                        passed
                            ? "Noise and a picture of skin give what the reference kernels gave."
                            : "A fixed input gives another output than the reference kernels; load the firmware anew.");
}
