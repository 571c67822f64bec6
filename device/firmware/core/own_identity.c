/* The basis and prime of Fowler, Noll and Vo. */
#include "own_identity.h"

#include "bytes.h"

#define BASIS 0xCBF29CE484222325ULL
#define PRIME 0x100000001B3ULL

void own_identity(const char *serial, uint8_t number, uint8_t id[OWN_IDENTITY_BYTES]) {
  uint64_t hash = BASIS;
  for (const char *letter = serial; *letter != '\0'; letter++) {
    hash = (hash ^ (uint8_t)*letter) * PRIME;
  }
  store_be64(id, (hash ^ number) * PRIME);
}
