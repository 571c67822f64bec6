/* The k-th smallest of some numbers, without sorting them. */
#ifndef KTH_H
#define KTH_H

#include <stddef.h>
#include <stdint.h>

/* Reorder `values` so that the k-th smallest (from 0) is at k, none greater before it, none smaller after; returns it.
 */
int32_t kth_smallest(int32_t *values, size_t count, size_t k);

/* The sum of the two middle values of an even count, which is twice the median; reorders `values`. */
int64_t kth_middle_sum(int32_t *values, size_t even_count);

#endif
