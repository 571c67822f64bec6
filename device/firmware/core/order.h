/* Numbers by their rank, without sorting them: they are counted into bins that narrow down on the rank. At most five
   times through the numbers, whatever they are, and room for a few of them. */
#ifndef ORDER_H
#define ORDER_H

#include <stdint.h>

#define ORDER_BINS 128
#define ORDER_KEPT 64

struct order_scratch {
  uint32_t counts[ORDER_BINS];
  int32_t kept[ORDER_KEPT];
};

/* Some numbers, and between which they are. */
struct order {
  const float *values;
  uint32_t count;
  uint32_t stride;
  int32_t least, greatest; /* as keys: whole numbers in the order of the floats */
  uint32_t known;          /* numbers that are no NaN */
};

/* Look at `count` numbers that are `stride` apart. */
struct order order_of(const float *values, uint32_t count, uint32_t stride);

/* The number of that rank among those that are no NaN, 0 for the least; `rank` must be below `known`. Gives the next
   one too, or the same again where it is the last. Of zeros the sign is not told. */
float order_find(const struct order *order, uint32_t rank, struct order_scratch *scratch, float *next);

/* (lower middle + upper middle) / 2 of those that are no NaN; NaN where all are. */
float order_median(const struct order *order, struct order_scratch *scratch);

#endif
