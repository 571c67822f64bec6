/* Sensors by their drivers, networks by what the reference kernels made of fixed inputs. */
#include "self_test.h"

#include <string.h>

#include "network.h"

#define SENTENCE_BYTES 320

static void check_constants(struct wearable *w, const struct sensor *sensor, struct sensor_results *results) {
  char sentence[SENTENCE_BYTES];
  struct text text;
  text_begin(&text, sentence, sizeof sentence);
  const bool doubtful = wearable_warning(w, sensor->number, &text);
  if (doubtful) {
    text_add(&text,
             " Restore the EEPROM or replace the sensor, or calibrate it, which holds it to a reference as it is.");
  } else {
    text_add(&text, "They are as first seen or calibrated, and nothing in them is strange.");
  }
  results->add(results, "constants", !doubtful, sentence);
}

static bool is_right(const struct model_test *test, uint8_t which) {
  const int8_t *from = test->input;
  uint32_t stride = 0;
  for (uint8_t i = 0; i < test->inputs; i++) {
    stride += test->input_sizes[i];
  }
  from += (size_t)which * stride;
  for (uint8_t i = 0; i < test->inputs; i++) {
    memcpy(network_input(*test->network, i), from, test->input_sizes[i]);
    from += test->input_sizes[i];
  }
  network_invoke(*test->network);
  return memcmp(network_output(*test->network), test->output + (size_t)which * test->output_size, test->output_size) ==
         0;
}

/* Golden vectors of a network that a container brought. */
static void check_given(const struct model_test *test, const struct network_given *given,
                        struct sensor_results *results) {
  char name[64];
  char sentence[SENTENCE_BYTES];
  struct text text;
  struct text reason;
  text_begin(&text, name, sizeof name);
  text_add(&text, "model ");
  text_add(&text, test->name);
  text_begin(&reason, sentence, sizeof sentence);
  const bool right = container_rehearse(given->container, given->number, (*test->network)->place.arena, &reason);
  results->add(results, name, right, right ? "Fixed inputs give what the reference kernels gave." : sentence);
}

static void check_model(const struct model_test *test, struct sensor_results *results) {
  const struct network_given *given = test->tests > 0 ? (*test->network)->given : NULL;
  if (given != NULL && given->container != NULL) {
    check_given(test, given, results);
    return;
  }
  bool right = true;
  for (uint8_t i = 0; i < test->tests; i++) {
    right = right && is_right(test, i);
  }
  char name[64];
  struct text text;
  text_begin(&text, name, sizeof name);
  text_add(&text, "model ");
  text_add(&text, test->name);
  results->add(results, name, right,
               right ? "Fixed inputs give what the reference kernels gave."
                     : "A fixed input gives another output than the reference kernels; load the firmware anew.");
}

void self_test_run(struct wearable *w, uint32_t part, struct sensor_results *results) {
  const uint8_t sensors = w->profile->sensor_count;
  for (uint8_t i = 0; i < sensors; i++) {
    const struct sensor *sensor = &w->profile->sensors[i];
    if ((part == SELF_TEST_ALL || part == i) && sensor->driver->self_test != NULL) {
      results->sensor = sensor;
      w->counters.sensor = i;
      sensor->driver->self_test(sensor, results);
      w->counters.sensor = NO_SENSOR;
      if (sensor->driver->constants_size != NULL && sensor->driver->constants_size(sensor) > 0) {
        check_constants(w, sensor, results);
      }
    }
  }
  results->sensor = NULL;
  for (uint8_t i = 0; (part == SELF_TEST_ALL || part == sensors) && i < w->profile->model_count; i++) {
    check_model(&w->profile->tests[i], results);
  }
  engine_reset(&w->engine); /* networks and signals share their memory */
}
