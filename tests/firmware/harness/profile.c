/* Prints a generated wearable, a line for each of its parts: words, numbers, and texts and bytes in hexadecimal. Real
   numbers are exact. */
#include <stdio.h>
#include <string.h>

#include "ads1115_ntc.h"
#include "external.h"
#include "mlx90640.h"
#include "network.h"
#include "wearable_profile.h"

static void print_bytes(const void *data, size_t size) {
  const uint8_t *bytes = data;
  printf(" x");
  for (size_t i = 0; i < size; i++) {
    printf("%02x", (unsigned)bytes[i]);
  }
}

static void print_text(const char *text) {
  print_bytes(text, strlen(text));
}

static void print_real(float value) {
  printf(" %a", (double)value);
}

static void print_camera(const struct mlx90640_settings *s) {
  printf(" %d %d %d %d", s->address, s->refresh_code, s->resolution_code, s->chess);
  print_real(s->emissivity);
  print_real(s->reflected_celsius);
}

static void print_thermistors(const struct thermistor_settings *s) {
  printf(" %d %d", s->address, s->channel_count);
  print_real(s->rate_hz);
  for (size_t i = 0; i < s->channel_count; i++) {
    const struct thermistor_profile *one = &s->channels[i];
    print_text(one->name);
    print_real(one->series_ohm);
    print_real(one->supply_v);
    printf(" %d %d", one->ntc_to_ground, one->steinhart_hart);
    for (size_t k = 0; k < 3; k++) {
      print_real(one->curve[k]);
    }
    print_real(one->self_heating_k_per_mw);
  }
}

static void print_external(const struct external_settings *s) {
  printf(" %d", s->elements);
  print_real(s->low);
  print_real(s->high);
  print_real(s->rate_hz);
}

static void print_sensor(const struct sensor *sensor) {
  printf("sensor %d %s", sensor->number, sensor->driver->kind);
  print_text(sensor->name);
  printf(" %d", sensor->signal);
  if (sensor->driver == &mlx90640_driver) {
    print_camera(sensor->settings);
  } else if (sensor->driver == &ads1115_ntc_driver) {
    print_thermistors(sensor->settings);
  } else if (sensor->driver == &external_driver) {
    print_external(sensor->settings);
  }
  printf("\n");
}

/* What the network makes of the fixed inputs, and what it has to. */
static void print_test(const struct model_test *test) {
  const int8_t *input = test->input;
  printf("test");
  print_text(test->name);
  printf(" %d\n", test->tests);
  for (size_t number = 0; number < test->tests; number++) {
    printf("inputs");
    for (size_t i = 0; i < test->inputs; i++) {
      print_bytes(input, test->input_sizes[i]);
      memcpy((*test->network)->inputs[i](), input, test->input_sizes[i]);
      input += test->input_sizes[i];
    }
    (*test->network)->invoke();
    printf("\nwanted");
    print_bytes(test->output + number * test->output_size, test->output_size);
    printf("\ngiven");
    print_bytes((*test->network)->output(), test->output_size);
    printf("\n");
  }
}

static void print_bundle(const struct bundle_profile *bundle) {
  printf("bundle %d %d %d %u %d", bundle->major, bundle->minor, bundle->revision, bundle->build,
         bundle->development_key);
  print_bytes(bundle->image_sha256, sizeof bundle->image_sha256);
  printf("\n");
  for (size_t i = 0; i < bundle->waived_count; i++) {
    printf("waived");
    print_text(bundle->waived[i]);
    printf("\n");
  }
}

int main(void) {
  const struct profile *profile = &wearable_profile;
  printf("name");
  print_text(profile->name);
  printf("\ncbor");
  print_bytes(profile->cbor, profile->cbor_size);
  print_bytes(profile->cbor_sha256, sizeof profile->cbor_sha256);
  printf("\n");
  for (size_t i = 0; i < profile->sensor_count; i++) {
    print_sensor(&profile->sensors[i]);
  }
  for (size_t i = 0; i < profile->model_count; i++) {
    printf("model %d %d %d", profile->models[i].output_count, profile->models[i].reading, profile->origins[i].raw);
    print_bytes(profile->origins[i].sensors, profile->origins[i].count);
    printf("\n");
    print_test(&profile->tests[i]);
  }
  printf("alerts %d\nperson", profile->alert_count);
  print_bytes(profile->person, profile->person_count);
  printf(" %d\n", profile->person_count > 0 ? profile->person_signal : 0);
  if (profile->bundle != NULL) {
    print_bundle(profile->bundle);
  }
  return 0;
}
