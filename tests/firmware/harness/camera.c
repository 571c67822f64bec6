/* One camera on a board whose functions a test gives. */
#include <stdlib.h>

#include "mlx90640_acquisition.h"

struct harness {
  struct board board;
  struct counters counters;
  struct mlx90640_settings settings;
  struct settle_scratch scratch;
  struct sightings sightings;
  struct mlx90640_acquisition camera;
};

struct harness_callbacks {
  uint64_t (*now_us)(void *context);
  void (*wait_until_us)(void *context, uint64_t time_us);
  enum status (*i2c_transfer)(void *context, uint8_t address, const uint8_t *write, size_t write_size, uint8_t *read,
                              size_t read_size);
  void (*i2c_recover)(void *context);
};

static void nothing(void *context) {
  (void)context;
}

struct harness *harness_new(const struct harness_callbacks *callbacks, uint8_t address, uint8_t refresh_code,
                            uint8_t resolution_code, bool chess) {
  struct harness *h = calloc(1, sizeof *h);
  h->board = (struct board){.now_us = callbacks->now_us,
                            .wait_until_us = callbacks->wait_until_us,
                            .i2c_transfer = callbacks->i2c_transfer,
                            .i2c_recover = callbacks->i2c_recover,
                            .watchdog_feed = nothing};
  h->settings = (struct mlx90640_settings){
      .address = address, .refresh_code = refresh_code, .resolution_code = resolution_code, .chess = chess};
  counters_init(&h->counters);
  sightings_open(&h->sightings, &h->board.flash, 0);
  mlx90640_acquisition_init(&h->camera, &h->board, &h->counters, &h->settings, &h->scratch, &h->sightings, 0);
  return h;
}

void harness_free(struct harness *h) {
  free(h);
}

uint64_t harness_due_us(const struct harness *h) {
  return mlx90640_acquisition_due_us(&h->camera);
}

bool harness_poll(struct harness *h) {
  return mlx90640_acquisition_poll(&h->camera);
}

void harness_resume(struct harness *h) {
  mlx90640_acquisition_resume(&h->camera);
}

int harness_set_rate(struct harness *h, float rate_hz) {
  return (int)mlx90640_acquisition_set_rate(&h->camera, rate_hz);
}

int harness_verify_eeprom(struct harness *h) {
  return (int)mlx90640_acquisition_verify_eeprom(&h->camera);
}

const uint16_t *harness_ram(const struct harness *h) {
  return h->camera.ram;
}

const uint16_t *harness_eeprom(const struct harness *h) {
  return h->camera.has_eeprom ? h->camera.eeprom : NULL;
}

void harness_subpage(const struct harness *h, uint32_t *index, uint16_t *control, uint8_t *number, uint64_t *time_us,
                     uint32_t *generation) {
  *index = h->camera.index;
  *control = h->camera.control;
  *number = h->camera.number;
  *time_us = h->camera.time_us;
  *generation = h->camera.sighting.constants;
}

bool harness_running(const struct harness *h) {
  return h->camera.state == MLX90640_RUNNING;
}

const char *harness_fault(const struct harness *h) {
  return bus_sentence(h->camera.fault);
}

const char *harness_counter(const struct harness *h, uint32_t counter, uint32_t *count) {
  if (counter >= COUNTER_COUNT) {
    return NULL;
  }
  *count = h->counters.counts[counter];
  return counters_name((enum counter)counter);
}
