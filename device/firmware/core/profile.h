/* A wearable as data, generated from a signed bundle by `thermo-quantize firmware`. No code branches on its name. */
#ifndef PROFILE_H
#define PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts.h"
#include "container.h"
#include "findings.h"
#include "graph.h"
#include "kept.h"
#include "learned.h"
#include "sensor.h"

/* What a model's findings rest on. */
struct model_origin {
  const uint8_t *sensors; /* numbers, ascending */
  uint8_t count;
  uint16_t raw;            /* number of the signal of its network's output */
  const uint32_t *took_us; /* what the network took last */
};

/* A network's fixed inputs, and what the reference kernels make of them. */
struct model_test {
  const char *name;
  const struct network *const *network;
  const int8_t *input; /* one after the other, the inputs of each test in order */
  const int8_t *output;
  const uint32_t *input_sizes; /* of each input */
  uint32_t output_size;
  uint8_t inputs;
  uint8_t tests;
};

/* The signed bundle it comes from. */
struct bundle_profile {
  uint8_t major, minor;
  uint16_t revision;
  uint32_t build;
  bool development_key;     /* signed with the key that everybody has */
  uint8_t image_sha256[32]; /* as a host compares it */
  uint8_t waived_count;
  const char *const *waived; /* what was found wanting when it was signed, a sentence each */
};

struct profile {
  const char *name;
  const uint8_t *cbor; /* the whole profile as canonical CBOR, for the host */
  size_t cbor_size;
  uint8_t cbor_sha256[32];

  const struct sensor *sensors; /* NULL in a container: they are the firmware's */
  uint8_t sensor_count;
  struct switchboard *switchboard; /* multiplexers; NULL where there are none */
  const struct graph_plan *graph;
  const struct finding_model *models;
  const struct model_origin *origins;
  const struct model_test *tests;
  uint8_t model_count;
  const struct kept_ring *kept; /* findings kept for a host that is away; NULL where none are */
  const struct alert_plan *alerts;
  struct alert *alert_states;
  uint8_t alert_count;
  const uint8_t *person; /* places in PERSON_FIELDS of what it must know of its wearer */
  uint8_t person_count;
  uint16_t person_signal;          /* number of the first one's signal */
  const struct learning *learning; /* what its stages learn of its wearer; NULL where they learn nothing */

  const struct network *const *networks; /* of its models */
  const struct bundle_profile *bundle;   /* NULL: sensors and stages alone */
};

#endif
