/* Each operation makes 32 bits with the first one set, of which all below the ninth only say how to round. */
#include "soft_float.h"

#include <stdbool.h>

#include "float32.h"

#define SIGN 0x80000000U
#define INFINITE 0x7F800000U
#define NOTHING 0x7FC00000U
#define MANTISSA_BITS 23U
#define MANTISSA 0x007FFFFFU
#define LEADING 0x00800000U
#define BIAS 127
#define REST_BITS 8U

static inline uint32_t exponent_of(uint32_t bits) {
  return bits >> MANTISSA_BITS & 0xFFU;
}

/* Neither zero nor subnormal, infinite nor NaN. */
static inline bool is_normal(uint32_t bits) {
  return exponent_of(bits) - 1U < 254U;
}

/* Shift so that the first bit is set; `whole` is not 0. */
static inline uint32_t normalised(uint32_t whole, int32_t *exponent) {
  for (; whole < 1U << 24; whole <<= 8) {
    *exponent -= 8;
  }
  if (whole < 1U << 28) {
    whole <<= 4;
    *exponent -= 4;
  }
  if (whole < 1U << 30) {
    whole <<= 2;
    *exponent -= 2;
  }
  if (whole < 1U << 31) {
    whole <<= 1;
    (*exponent)--;
  }
  return whole;
}

/* `whole` / 2^31 times 2^(exponent - 127). */
static inline uint32_t rounded(uint32_t sign, int32_t exponent, uint32_t whole) {
  if (exponent >= 255) {
    return sign | INFINITE;
  }
  uint32_t above = (uint32_t)(exponent - 1) << MANTISSA_BITS;
  if (exponent < 1) {
    above = 0;
    const uint32_t shift = (uint32_t)(1 - exponent);
    whole = shift < 32U ? whole >> shift | (whole << (32U - shift) != 0 ? 1U : 0U) : 1U;
  }
  const uint32_t kept = whole >> REST_BITS;
  /* A carry into the exponent is right. */
  return (sign | above) + kept + (((whole & 0xFFU) + (kept & 1U) + 127U) >> REST_BITS);
}

static inline bool is_nothing(uint32_t bits) {
  return (bits & ~SIGN) > INFINITE;
}

/* A subnormal's mantissa and exponent as those of a normal number; no zero. */
static uint32_t mantissa_of(uint32_t bits, int32_t *exponent) {
  *exponent = (int32_t)exponent_of(bits);
  if (*exponent != 0) {
    return (bits & MANTISSA) | LEADING;
  }
  *exponent = 1 + (int32_t)REST_BITS;
  return normalised(bits & MANTISSA, exponent) >> REST_BITS;
}

static inline uint32_t product(uint32_t sign, int32_t exponent, uint32_t a, uint32_t b) {
  const uint32_t a_high = a >> 12;
  const uint32_t a_low = a & 0xFFFU;
  const uint32_t b_high = b >> 12;
  const uint32_t b_low = b & 0xFFFU;
  const uint32_t low = a_low * b_low;
  const uint32_t middle = a_high * b_low + a_low * b_high + (low >> 12);
  uint32_t whole = ((a_high * b_high) << 8) + (middle >> 4);
  if (((middle & 0xFU) | (low & 0xFFFU)) != 0) {
    whole |= 1U;
  }
  if (whole >> 31) {
    exponent++;
  } else {
    whole <<= 1;
  }
  return rounded(sign, exponent, whole);
}

static __attribute__((noinline)) uint32_t multiply_rare(uint32_t a, uint32_t b) {
  const uint32_t sign = (a ^ b) & SIGN;
  const uint32_t a_size = a & ~SIGN;
  const uint32_t b_size = b & ~SIGN;
  if (is_nothing(a) || is_nothing(b) || (a_size == INFINITE && b_size == 0) || (b_size == INFINITE && a_size == 0)) {
    return NOTHING;
  }
  if (a_size == INFINITE || b_size == INFINITE) {
    return sign | INFINITE;
  }
  if (a_size == 0 || b_size == 0) {
    return sign;
  }
  int32_t a_exponent;
  int32_t b_exponent;
  const uint32_t a_mantissa = mantissa_of(a, &a_exponent);
  const uint32_t b_mantissa = mantissa_of(b, &b_exponent);
  return product(sign, a_exponent + b_exponent - BIAS, a_mantissa, b_mantissa);
}

uint32_t soft_float_multiply(uint32_t a, uint32_t b) {
  if (!is_normal(a) || !is_normal(b)) {
    return multiply_rare(a, b);
  }
  return product((a ^ b) & SIGN, (int32_t)(exponent_of(a) + exponent_of(b)) - BIAS, (a & MANTISSA) | LEADING,
                 (b & MANTISSA) | LEADING);
}

/* Of two numbers the larger in size first, with mantissas below 2^24 and what the smaller lies below. */
static inline uint32_t sum(uint32_t sign, bool apart, int32_t exponent, uint32_t large, uint32_t small,
                           uint32_t below) {
  large <<= 7;
  small <<= 7;
  if (below != 0) {
    small = below < 31U ? small >> below | (small << (32U - below) != 0 ? 1U : 0U) : 1U;
  }
  if (!apart) {
    const uint32_t whole = large + small;
    return whole >> 31 ? rounded(sign, exponent + 1, whole) : rounded(sign, exponent, whole << 1);
  }
  uint32_t whole = large - small;
  if (whole == 0) {
    return 0;
  }
  exponent++;
  whole = normalised(whole, &exponent);
  return rounded(sign, exponent, whole);
}

static __attribute__((noinline)) uint32_t add_rare(uint32_t large, uint32_t small) {
  const uint32_t size = large & ~SIGN;
  if (is_nothing(large) || is_nothing(small) || (size == INFINITE && (large ^ small) == SIGN)) {
    return NOTHING;
  }
  if (size == INFINITE || (small & ~SIGN) == 0) {
    return size == 0 ? large & small : large; /* only two negative zeros make one */
  }
  int32_t exponent;
  int32_t other;
  const uint32_t mantissa = mantissa_of(large, &exponent);
  const uint32_t small_mantissa = mantissa_of(small, &other);
  return sum(large & SIGN, ((large ^ small) & SIGN) != 0, exponent, mantissa, small_mantissa,
             (uint32_t)(exponent - other));
}

uint32_t soft_float_add(uint32_t a, uint32_t b) {
  if (a << 1 < b << 1) {
    const uint32_t swapped = a;
    a = b;
    b = swapped;
  }
  if (!is_normal(a) || !is_normal(b)) {
    return add_rare(a, b);
  }
  const uint32_t exponent = exponent_of(a);
  return sum(a & SIGN, ((a ^ b) & SIGN) != 0, (int32_t)exponent, (a & MANTISSA) | LEADING, (b & MANTISSA) | LEADING,
             exponent - exponent_of(b));
}

/* Long division, one bit after another: 26 of them, and whether something is left. */
static inline uint32_t quotient(uint32_t sign, int32_t exponent, uint32_t a, uint32_t b) {
  if (a < b) {
    a <<= 1;
    exponent--;
  }
  uint32_t whole = 0;
  for (uint32_t bit = 0; bit < 26U; bit += 2U) {
    whole <<= 2;
    if (a >= b) {
      a -= b;
      whole |= 2U;
    }
    a <<= 1;
    if (a >= b) {
      a -= b;
      whole |= 1U;
    }
    a <<= 1;
  }
  return rounded(sign, exponent, whole << 6 | (a != 0 ? 1U : 0U));
}

static __attribute__((noinline)) uint32_t divide_rare(uint32_t a, uint32_t b) {
  const uint32_t sign = (a ^ b) & SIGN;
  const uint32_t a_size = a & ~SIGN;
  const uint32_t b_size = b & ~SIGN;
  if (is_nothing(a) || is_nothing(b) || (a_size == b_size && (a_size == 0 || a_size == INFINITE))) {
    return NOTHING;
  }
  if (a_size == INFINITE || b_size == 0) {
    return sign | INFINITE;
  }
  if (a_size == 0 || b_size == INFINITE) {
    return sign;
  }
  int32_t a_exponent;
  int32_t b_exponent;
  const uint32_t a_mantissa = mantissa_of(a, &a_exponent);
  const uint32_t b_mantissa = mantissa_of(b, &b_exponent);
  return quotient(sign, a_exponent - b_exponent + BIAS, a_mantissa, b_mantissa);
}

uint32_t soft_float_divide(uint32_t a, uint32_t b) {
  if (!is_normal(a) || !is_normal(b)) {
    return divide_rare(a, b);
  }
  return quotient((a ^ b) & SIGN, (int32_t)exponent_of(a) - (int32_t)exponent_of(b) + BIAS, (a & MANTISSA) | LEADING,
                  (b & MANTISSA) | LEADING);
}

uint32_t soft_float_of_unsigned(uint32_t whole) {
  if (whole == 0) {
    return 0;
  }
  int32_t exponent = BIAS + 31;
  whole = normalised(whole, &exponent);
  return rounded(0, exponent, whole);
}

uint32_t soft_float_of_signed(int32_t whole) {
  return whole < 0 ? SIGN | soft_float_of_unsigned(0U - (uint32_t)whole) : soft_float_of_unsigned((uint32_t)whole);
}

#if defined(__arm__) && __ARM_ARCH == 6 && FLOAT32_SOFT
/* By the names that compilers call, whose arguments lie in the same registers as whole numbers. */
uint32_t __aeabi_fdiv(uint32_t a, uint32_t b) __attribute__((alias("soft_float_divide")));
uint32_t __aeabi_i2f(int32_t whole) __attribute__((alias("soft_float_of_signed")));
uint32_t __aeabi_ui2f(uint32_t whole) __attribute__((alias("soft_float_of_unsigned")));
uint32_t __aeabi_fsub(uint32_t a, uint32_t b);
uint32_t __aeabi_frsub(uint32_t a, uint32_t b);
uint32_t __aeabi_fmul(uint32_t a, uint32_t b);

/* a - b, and behind its first three instructions a + b: what soft_float_add does, in assembler, for normal numbers with
   a normal result. r2, r3 are the larger and smaller mantissa, r4 the exponent, r5 how far the smaller lies below. */
__attribute__((naked)) uint32_t __aeabi_fsub(uint32_t a __attribute__((unused)), uint32_t b __attribute__((unused))) {
  __asm__ volatile(
      ".syntax unified\n"
      "movs r2, #1\n"
      "lsls r2, r2, #31\n"
      "eors r1, r2\n"
      ".global __aeabi_fadd\n"
      ".thumb_func\n"
      "__aeabi_fadd:\n"
      "push {r4, r5, r6, lr}\n"
      "lsls r2, r0, #1\n"
      "lsls r3, r1, #1\n"
      "cmp r2, r3\n"
      "bhs 1f\n"
      "movs r4, r0\n"
      "movs r0, r1\n"
      "movs r1, r4\n"
      "movs r4, r2\n"
      "movs r2, r3\n"
      "movs r3, r4\n"
      "1: lsrs r4, r2, #24\n"
      "lsrs r5, r3, #24\n"
      "beq 9f\n"
      "cmp r4, #255\n"
      "beq 9f\n"
      "lsls r2, r2, #8\n"
      "lsrs r2, r2, #2\n"
      "lsls r3, r3, #8\n"
      "lsrs r3, r3, #2\n"
      "movs r6, #1\n"
      "lsls r6, r6, #30\n"
      "adds r2, r2, r6\n"
      "adds r3, r3, r6\n"
      "subs r5, r4, r5\n"
      "beq 3f\n"
      "cmp r5, #30\n"
      "bhi 2f\n"
      "movs r6, r3\n"
      "lsrs r3, r5\n"
      "negs r5, r5\n"
      "adds r5, #32\n"
      "lsls r6, r5\n"
      "beq 3f\n"
      "movs r6, #1\n"
      "orrs r3, r6\n"
      "b 3f\n"
      "2: movs r3, #1\n"
      "3: eors r1, r0\n"
      "bmi 5f\n"
      "adds r2, r2, r3\n"
      "bmi 4f\n"
      "lsls r2, r2, #1\n"
      "6: lsrs r3, r2, #8\n"
      "subs r4, #1\n"
      "lsls r4, r4, #23\n"
      "adds r3, r3, r4\n"
      "lsrs r0, r0, #31\n"
      "lsls r0, r0, #31\n"
      "adds r0, r0, r3\n"
      "lsls r2, r2, #25\n"
      "bcc 7f\n"
      "bne 8f\n"
      "movs r2, #1\n"
      "ands r2, r0\n"
      "adds r0, r0, r2\n"
      "7: pop {r4, r5, r6, pc}\n"
      "8: adds r0, #1\n"
      "pop {r4, r5, r6, pc}\n"
      "4: adds r4, #1\n"
      "cmp r4, #255\n"
      "bne 6b\n"
      "b 10f\n"
      "5: subs r2, r2, r3\n"
      "beq 11f\n"
      "lsls r2, r2, #1\n"
      "bmi 6b\n"
      "12: lsrs r3, r2, #24\n"
      "bne 13f\n"
      "lsls r2, r2, #8\n"
      "subs r4, #8\n"
      "b 12b\n"
      "13: cmp r2, #0\n"
      "bmi 14f\n"
      "15: subs r4, #1\n"
      "lsls r2, r2, #1\n"
      "bpl 15b\n"
      "14: cmp r4, #0\n"
      "bgt 6b\n"
      "10: eors r1, r0\n"
      "9: bl soft_float_add\n"
      "pop {r4, r5, r6, pc}\n"
      "11: movs r0, #0\n"
      "pop {r4, r5, r6, pc}\n");
}

uint32_t __aeabi_frsub(uint32_t a, uint32_t b) {
  return __aeabi_fsub(b, a);
}

/* Likewise a b: mantissas of 24 bits as 16 and 8, so that four products make 48 bits. r2 is the exponent, r3 the sign.
 */
__attribute__((naked)) uint32_t __aeabi_fmul(uint32_t a __attribute__((unused)), uint32_t b __attribute__((unused))) {
  __asm__ volatile(
      ".syntax unified\n"
      "push {r3, r4, r5, r6, r7, lr}\n"
      "lsls r2, r0, #1\n"
      "lsrs r2, r2, #24\n"
      "beq 9f\n"
      "cmp r2, #255\n"
      "beq 9f\n"
      "lsls r3, r1, #1\n"
      "lsrs r3, r3, #24\n"
      "beq 9f\n"
      "cmp r3, #255\n"
      "beq 9f\n"
      "adds r2, r2, r3\n"
      "subs r2, #128\n"
      "cmp r2, #252\n"
      "bhi 9f\n"
      "movs r3, r0\n"
      "eors r3, r1\n"
      "lsrs r3, r3, #31\n"
      "lsls r3, r3, #31\n"
      "movs r7, #1\n"
      "lsls r7, r7, #31\n"
      "lsls r4, r0, #8\n"
      "orrs r4, r7\n"
      "lsrs r4, r4, #16\n"
      "lsls r5, r1, #8\n"
      "orrs r5, r7\n"
      "lsrs r5, r5, #16\n"
      "uxtb r6, r0\n"
      "uxtb r7, r1\n"
      "movs r0, r6\n"
      "muls r0, r7\n"
      "muls r7, r4\n"
      "muls r6, r5\n"
      "muls r4, r5\n"
      "adds r6, r6, r7\n"
      "lsrs r1, r0, #8\n"
      "adds r6, r6, r1\n"
      "lsrs r1, r6, #8\n"
      "adds r4, r4, r1\n"
      "lsls r6, r6, #24\n"
      "lsls r0, r0, #24\n"
      "orrs r0, r6\n"
      "beq 1f\n"
      "movs r0, #1\n"
      "orrs r4, r0\n"
      "1: cmp r4, #0\n"
      "bmi 2f\n"
      "lsls r4, r4, #1\n"
      "subs r2, #1\n"
      "2: adds r2, #1\n"
      "lsls r2, r2, #23\n"
      "lsrs r0, r4, #8\n"
      "adds r0, r0, r2\n"
      "adds r0, r0, r3\n"
      "lsls r4, r4, #25\n"
      "bcc 7f\n"
      "bne 8f\n"
      "movs r2, #1\n"
      "ands r2, r0\n"
      "adds r0, r0, r2\n"
      "7: pop {r3, r4, r5, r6, r7, pc}\n"
      "8: adds r0, #1\n"
      "pop {r3, r4, r5, r6, r7, pc}\n"
      "9: bl soft_float_multiply\n"
      "pop {r3, r4, r5, r6, r7, pc}\n");
}
#endif
