/* Single precision on whole numbers: IEEE 754, rounded to nearest, halves to even, subnormals and all; a NaN comes out
   as the quiet one. On a processor of ARMv6-M these serve every float of the program instead of the compiler's own,
   with the same bits in a third of the instructions. */
#ifndef SOFT_FLOAT_H
#define SOFT_FLOAT_H

#include <stdint.h>

/* Floats are passed as their bits. */
uint32_t soft_float_add(uint32_t a, uint32_t b);
uint32_t soft_float_multiply(uint32_t a, uint32_t b);
uint32_t soft_float_divide(uint32_t a, uint32_t b);
uint32_t soft_float_of_signed(int32_t whole);
uint32_t soft_float_of_unsigned(uint32_t whole);

#endif
