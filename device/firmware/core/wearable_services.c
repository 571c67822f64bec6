/* What the commands of group 65 ask of the main loop. */
#include <string.h>

#include "correction_bounds.h"
#include "self_test.h"
#include "wearable_parts.h"

#define LONGEST_LEASE_MS 10000U

static void state(void *context, struct wearable_state *state) {
  const struct wearable *w = context;
  *state = (struct wearable_state){.time_us = w->board->now_us(),
                                   .calibrated = !correction_is_identity(&w->correction),
                                   .sensor_known = w->camera.has_constants,
                                   .generation = w->camera.sighting.generation,
                                   .fingerprint = w->camera.sighting.fingerprint,
                                   .camera_rate_hz = camera_rate_hz(&w->camera),
                                   .sensor_fault = w->camera.fault == STATUS_OK ? NULL : bus_sentence(w->camera.fault)};
  struct text warning;
  text_begin(&warning, state->sensor_warning, sizeof state->sensor_warning);
  wearable_warning(w, &warning);
  if (state->sensor_known) {
    memcpy(state->sensor_id, w->camera.constants.device_id, sizeof state->sensor_id);
  }
}

/* Whether temperatures with these constants were held to a reference, as a calibration does. */
static bool wearable_vouches(const struct wearable *w) {
  return !correction_is_identity(&w->correction) && w->correction.fingerprint == w->camera.sighting.fingerprint;
}

bool wearable_is_doubtful(const struct wearable *w) {
  return camera_is_doubtful(&w->camera) && !wearable_vouches(w);
}

void wearable_warning(const struct wearable *w, struct text *sentence) {
  if (!wearable_is_doubtful(w)) {
    return;
  }
  if (w->camera.sighting.changed) {
    text_add(sentence, counters_fault(COUNTER_EEPROM_CHANGED)->sentence);
  } else {
    const uint16_t doubt = w->camera.constants.found.doubt;
    const uint8_t address[2] = {(uint8_t)(doubt >> 8), (uint8_t)doubt};
    text_add(sentence, "EEPROM word 0x");
    text_add_hex(sentence, address, sizeof address);
    text_add(sentence, " is no known sensor's; temperatures may be wrong.");
  }
}

static void stream_start(void *context, uint32_t lease_ms, uint16_t key_interval) {
  struct wearable *w = context;
  outbox_end(&w->outbox); /* what waits was not asked for by this host */
  outbox_grant(&w->outbox, lease_ms);
  counts_restart(&w->encoder, key_interval);
}

static bool stream_renew(void *context, uint32_t lease_ms) {
  struct wearable *w = context;
  if (outbox_left_ms(&w->outbox) == 0) {
    return false;
  }
  outbox_grant(&w->outbox, lease_ms);
  return true;
}

static void stream_stop(void *context) {
  struct wearable *w = context;
  outbox_end(&w->outbox);
}

static const uint16_t *eeprom(void *context) {
  const struct wearable *w = context;
  return w->camera.has_eeprom ? w->camera.eeprom : NULL;
}

static bool set_rate(void *context, float rate_hz, float *set_hz, enum wearable_code *code, struct text *reason) {
  struct wearable *w = context;
  const enum status status = camera_set_rate(&w->camera, rate_hz);
  *set_hz = camera_rate_hz(&w->camera);
  *code = WEARABLE_BAD_RATE;
  switch (status) {
    case STATUS_OK:
      return true;
    case STATUS_ARGUMENT:
      text_add(reason, "The MLX90640 has no refresh rate of ");
      text_add_float(reason, rate_hz, 2);
      text_add(reason, " Hz; use one of 0.5, 1, 2, 4, 8, 16, 32, 64.");
      return false;
    case STATUS_FULL:
      text_add(reason, "A page takes ");
      text_add_unsigned(reason, w->camera.chip.read_us / 1000);
      text_add(reason, " ms on this I2C bus, too long for that rate; choose a lower one or raise the bus frequency.");
      return false;
    default:
      *code = WEARABLE_NO_SENSOR;
      text_add(reason, bus_sentence(status));
      return false;
  }
}

static void self_test(void *context, struct wearable_results *results) {
  struct wearable *w = context;
  /* The lease stands still meanwhile: nobody here could hear it renewed. */
  const uint32_t left_ms = outbox_left_ms(&w->outbox);
  self_test_run(w, results);
  if (left_ms > 0) {
    outbox_grant(&w->outbox, left_ms);
  }
}

static bool objects(void *context, const struct correction *correction, enum wearable_code *code, struct text *reason) {
  const struct wearable *w = context;
  if (!correction_fits(correction, w->camera.constants.device_id, MLX90640_ID_BYTES, w->camera.sighting.fingerprint)) {
    *code = WEARABLE_WRONG_SENSOR;
    text_add(reason, "The calibration was made when the sensor's EEPROM held something else; calibrate it as it is.");
    return true;
  }
  return correction_is_implausible(correction, w->profile, reason);
}

static void calibration_changed(void *context) {
  struct wearable *w = context;
  wearable_use_calibration(w);
  if (wearable_vouches(w)) {
    sightings_trust(&w->sightings);
    w->camera.sighting.changed = false;
  }
}

void wearable_services_init(struct wearable *w) {
  w->services =
      (struct wearable_services){.context = w,
                                 .software = WEARABLE_SOFTWARE,
                                 .lease_max_ms = LONGEST_LEASE_MS,
                                 .development_key = w->profile->model != NULL && w->profile->model->development_key,
                                 .state = state,
                                 .stream_start = stream_start,
                                 .stream_renew = stream_renew,
                                 .stream_stop = stream_stop,
                                 .eeprom = eeprom,
                                 .set_rate = set_rate,
                                 .self_test = self_test,
                                 .objects = objects,
                                 .calibration_changed = calibration_changed};
}
