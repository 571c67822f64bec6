/* The job with zcbor, whose decoders return where the kind is another and leave the state as it was. */
#include <string.h>

#include "cbor_job.h"
#include "zcbor_decode.h"
#include "zcbor_encode.h"

#define BACKUPS 2

/* The value of `key` at `state[0]`. */
static bool find(zcbor_state_t *state, const uint8_t *body, size_t size, const char *key) {
  struct zcbor_string wanted = {.value = (const uint8_t *)key, .len = strlen(key)};
  struct zcbor_string found;
  zcbor_new_decode_state(state, BACKUPS + 2, body, size, 1, NULL, 0);
  if (!zcbor_map_start_decode(state)) {
    return false;
  }
  while (!zcbor_array_at_end(state)) {
    if (!zcbor_tstr_decode(state, &found)) {
      return false;
    }
    if (zcbor_compare_strings(&wanted, &found)) {
      return true;
    }
    if (!zcbor_any_skip(state, NULL)) {
      return false;
    }
  }
  return false;
}

static bool number_at(zcbor_state_t *state, float *number) {
  int64_t whole;
  double real;
  if (zcbor_int64_decode(state, &whole)) {
    *number = (float)whole;
    return true;
  }
  if (zcbor_float_decode(state, &real)) {
    *number = (float)real;
    return true;
  }
  return false;
}

static bool put_key(zcbor_state_t *state, const char *key) {
  return zcbor_tstr_encode_ptr(state, key, strlen(key));
}

/* In half precision where that is exact. */
static bool put_float(zcbor_state_t *state, float number) {
  return zcbor_float16_to_32(zcbor_float32_to_16(number)) == number ? zcbor_float16_put(state, number)
                                                                    : zcbor_float32_put(state, number);
}

size_t cbor_job(uint8_t *body, size_t size, uint8_t *answer, size_t capacity) {
  zcbor_state_t in[BACKUPS + 2];
  zcbor_state_t out[BACKUPS + 2];
  uint32_t off;
  int64_t at;
  float value;
  bool on;
  struct zcbor_string name, data;
  if (!find(in, body, size, "off") || !zcbor_uint32_decode(in, &off) || !find(in, body, size, "at") ||
      !zcbor_int64_decode(in, &at) || !find(in, body, size, "value") || !number_at(in, &value) ||
      !find(in, body, size, "on") || !zcbor_bool_decode(in, &on) || !find(in, body, size, "none") ||
      !zcbor_nil_expect(in, NULL) || !find(in, body, size, "name") || !zcbor_tstr_decode(in, &name) ||
      !find(in, body, size, "data") || !zcbor_bstr_decode(in, &data)) {
    return 0;
  }
  zcbor_new_encode_state(out, BACKUPS + 2, answer, capacity, 1);
  bool good = zcbor_map_start_encode(out, 9) && put_key(out, "off") && zcbor_uint32_put(out, off) &&
              put_key(out, "at") && zcbor_int64_put(out, at) && put_key(out, "value") && put_float(out, value) &&
              put_key(out, "on") && zcbor_bool_put(out, on) && put_key(out, "none") && zcbor_nil_put(out, NULL) &&
              put_key(out, "name") && zcbor_tstr_encode(out, &name) && put_key(out, "data") &&
              zcbor_bstr_encode(out, &data) && put_key(out, "list") && zcbor_list_start_encode(out, UINT16_MAX);
  if (!good || !find(in, body, size, "list") || !zcbor_list_start_decode(in)) {
    return 0;
  }
  while (!zcbor_array_at_end(in)) {
    uint64_t number;
    if (!zcbor_uint64_decode(in, &number) || (number > off && !zcbor_uint64_put(out, number))) {
      return 0;
    }
  }
  if (!zcbor_list_end_encode(out, UINT16_MAX) || !put_key(out, "map") || !find(in, body, size, "map") ||
      !zcbor_map_start_decode(in)) {
    return 0;
  }
  float sum = 0.0f;
  while (!zcbor_array_at_end(in)) {
    struct zcbor_string key;
    float number;
    if (!zcbor_tstr_decode(in, &key) || !number_at(in, &number)) {
      return 0;
    }
    sum += number;
  }
  return put_float(out, sum) && zcbor_map_end_encode(out, 9) ? (size_t)(out->payload - answer) : 0;
}
