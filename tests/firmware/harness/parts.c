/* What stages and graphs are made of, behind plain arrays, for ctypes. */
#include <stddef.h>

#include "float32.h"
#include "network.h"
#include "order.h"
#include "soft_float.h"
#include "stages/registry.h"

int soft_switch;

/* Bits of floats, or whole numbers; the operation by its sign, or 's' and 'u' for those of whole numbers. */
void shim_soft(char operation, const uint32_t *a, const uint32_t *b, uint32_t *results, size_t count) {
  for (size_t i = 0; i < count; i++) {
    results[i] = operation == '+'   ? soft_float_add(a[i], b[i])
                 : operation == '*' ? soft_float_multiply(a[i], b[i])
                 : operation == '/' ? soft_float_divide(a[i], b[i])
                 : operation == 's' ? soft_float_of_signed((int32_t)a[i])
                                    : soft_float_of_unsigned(a[i]);
  }
}

void shim_log(const float *values, float *results, size_t count) {
  for (size_t i = 0; i < count; i++) {
    results[i] = float32_log(values[i]);
  }
}

void shim_whole(const int64_t *values, float *results, size_t count) {
  for (size_t i = 0; i < count; i++) {
    results[i] = float32_of_signed(values[i]);
  }
}

void shim_log10(const float *values, float *results, size_t count) {
  for (size_t i = 0; i < count; i++) {
    results[i] = float32_log10(values[i]);
  }
}

void shim_exp(const float *values, float *results, size_t count) {
  for (size_t i = 0; i < count; i++) {
    results[i] = float32_exp(values[i]);
  }
}

void shim_round(const float *values, int32_t *results, size_t count) {
  for (size_t i = 0; i < count; i++) {
    results[i] = float32_round(values[i]);
  }
}

float shim_total(const float *values, uint32_t count, uint32_t stride) {
  return float32_total(values, count, stride);
}

float shim_mean(const float *values, uint32_t count, uint32_t stride) {
  return float32_mean(values, count, stride);
}

float shim_product(const float *one, const float *other, uint32_t count, uint32_t stride) {
  return float32_product(one, other, count, stride);
}

uint32_t shim_known(const float *values, uint32_t count, uint32_t stride) {
  return order_of(values, count, stride).known;
}

float shim_ranked(const float *values, uint32_t count, uint32_t stride, uint32_t rank, float *next) {
  static struct order_scratch scratch;
  const struct order order = order_of(values, count, stride);
  return order_find(&order, rank, &scratch, next);
}

int shim_quantise(float scale, int8_t zero_point, const float *values, uint32_t count, int8_t *quantised) {
  const struct network_end end = {scale, zero_point};
  return network_quantise(&end, values, count, quantised);
}

const char *shim_stage(size_t number) {
  const struct stage *stage = registry_stage(number);
  return stage == NULL ? NULL : stage->name;
}

int shim_found(const char *name) {
  const struct stage *stage = registry_find(name);
  return stage == NULL ? -1 : (int)stage->kind;
}
