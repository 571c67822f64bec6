/* Selection by partition around the k-th place (Hoare 1961, Algorithm 65, in the form of Wirth 1976), iteratively. */
#include "kth.h"

int32_t kth_smallest(int32_t *values, size_t count, size_t k) {
  ptrdiff_t low = 0;
  ptrdiff_t high = (ptrdiff_t)count - 1;
  const ptrdiff_t wanted = (ptrdiff_t)k;
  while (low < high) {
    const int32_t pivot = values[wanted];
    ptrdiff_t i = low;
    ptrdiff_t j = high;
    do {
      while (values[i] < pivot) {
        i++;
      }
      while (values[j] > pivot) {
        j--;
      }
      if (i <= j) {
        const int32_t swapped = values[i];
        values[i++] = values[j];
        values[j--] = swapped;
      }
    } while (i <= j);
    if (j < wanted) {
      low = i;
    }
    if (wanted < i) {
      high = j;
    }
  }
  return values[wanted];
}

int64_t kth_middle_sum(int32_t *values, size_t even_count) {
  const size_t middle = even_count / 2;
  const int32_t upper = kth_smallest(values, even_count, middle);
  int32_t lower = values[0];
  for (size_t i = 1; i < middle; i++) {
    lower = values[i] > lower ? values[i] : lower;
  }
  return (int64_t)lower + upper;
}
