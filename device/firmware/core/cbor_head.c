/* Reading and writing the first bytes of an item. */
#include "cbor_head.h"

#include "bytes.h"

size_t cbor_head_size(uint64_t argument) {
  return argument < 24 ? 1 : argument <= UINT8_MAX ? 2 : argument <= UINT16_MAX ? 3 : argument <= UINT32_MAX ? 5 : 9;
}

void cbor_put_head(uint8_t *at, enum major major, uint64_t argument) {
  uint8_t code = (uint8_t)(major << 5);
  switch (cbor_head_size(argument)) {
    case 1:
      at[0] = (uint8_t)(code | argument);
      break;
    case 2:
      at[0] = code | 24;
      at[1] = (uint8_t)argument;
      break;
    case 3:
      at[0] = code | 25;
      store_be16(at + 1, (uint16_t)argument);
      break;
    case 5:
      at[0] = code | 26;
      store_be32(at + 1, (uint32_t)argument);
      break;
    default:
      at[0] = code | 27;
      store_be64(at + 1, argument);
      break;
  }
}

enum cbor_fault cbor_read_head(const uint8_t *at, size_t left, struct head *head) {
  if (left == 0) {
    return CBOR_CUT_SHORT;
  }
  head->major = at[0] >> 5;
  head->info = at[0] & 31;
  head->argument = head->info;
  head->size = 1;
  if (head->info < 24 || head->info == 31) {
    return CBOR_GOOD;
  }
  if (head->info > 27) {
    return CBOR_MALFORMED;
  }
  size_t bytes = (size_t)1 << (head->info - 24);
  if (left - 1 < bytes) {
    return CBOR_CUT_SHORT;
  }
  head->argument = 0;
  for (size_t i = 1; i <= bytes; i++) {
    head->argument = head->argument << 8 | at[i];
  }
  head->size = (uint8_t)(1 + bytes);
  return CBOR_GOOD;
}

const uint8_t *cbor_text_at(const uint8_t *at, size_t left, size_t *size) {
  struct head head;
  if (cbor_read_head(at, left, &head) != CBOR_GOOD || head.argument > left - head.size) {
    *size = 0;
    return at;
  }
  *size = (size_t)head.argument;
  return at + head.size;
}
